"""A connection: one connector bound to one account, its settings looked up when they are used."""

from __future__ import annotations

from pathlib import Path

import pytest

from cosell_definitions.settings import SecretRef, SettingValue
from cosell_env.connections import Block, Connection, MissingSetting, Sources
from cosell_env.secrets import Secret


def bound(
    settings: dict[str, SettingValue] | None = None,
    *,
    process: dict[str, str] | None = None,
    folder: Path = Path(),
    block: Block | None = None,
) -> Connection:
    return Connection(
        name="partner_center",
        connector="partner_center",
        environment="staging",
        settings=settings or {},
        sources=Sources(process=process or {}, folder=folder, block=block),
    )


def test_the_process_wins_over_the_file() -> None:
    """What is set for this run counts more than what is written down."""
    connection = bound(
        {"base_url": "https://file"},
        process={"COSELL_CONNECTION_PARTNER_CENTER_BASE_URL": "https://process"},
    )

    assert connection.get("base_url") == "https://process"


def test_an_empty_override_is_none() -> None:
    """A variable that is set to nothing does not hide the file."""
    connection = bound(
        {"base_url": "https://file"},
        process={"COSELL_CONNECTION_PARTNER_CENTER_BASE_URL": " "},
    )

    assert connection.get("base_url") == "https://file"


def test_a_secret_is_read_from_the_process() -> None:
    """{from_env: NAME} is the value of that variable, as a secret."""
    connection = bound(
        {"client_secret": SecretRef(kind="env", name="PC_SECRET")}, process={"PC_SECRET": "s"}
    )

    assert connection.secret("client_secret") == Secret("s")


def test_a_secret_is_read_from_a_file(tmp_path: Path) -> None:
    """{from_file: PATH} is what the file holds, without the line end editors add."""
    (tmp_path / "key.pem").write_text("-----BEGIN\nx\n-----END\n")
    connection = bound({"private_key": SecretRef(kind="file", name="key.pem")}, folder=tmp_path)

    assert connection.secret("private_key").reveal().strip() == "-----BEGIN\nx\n-----END"


def test_a_file_ending_in_a_line_break_makes_the_same_secret(tmp_path: Path) -> None:
    """A trailing line break is not part of a password."""
    (tmp_path / "secret").write_text("s\n")
    connection = bound({"client_secret": SecretRef(kind="file", name="secret")}, folder=tmp_path)

    assert connection.secret("client_secret").reveal() == "s"


def test_a_secret_is_read_from_a_block() -> None:
    """{from_prefect: BLOCK} asks whoever was handed in, which need not be Prefect."""
    connection = bound(
        {"client_secret": SecretRef(kind="prefect", name="pc")}, block={"pc": "s"}.get
    )

    assert connection.secret("client_secret") == Secret("s")


def test_nothing_is_looked_up_before_it_is_used() -> None:
    """A connection that is not used may lack everything."""
    connection = bound({"client_secret": SecretRef(kind="file", name="/nowhere/at/all")})

    assert list(connection.settings) == ["client_secret"]


OVERRIDE = "COSELL_CONNECTION_PARTNER_CENTER_CLIENT_SECRET"


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        (
            SecretRef(kind="env", name="PC_SECRET"),
            f"variables {OVERRIDE} and PC_SECRET. To mend it, set PC_SECRET.",
        ),
        (
            SecretRef(kind="file", name="/nowhere/secret"),
            f"variable {OVERRIDE} and the file /nowhere/secret. To mend it, put the value into",
        ),
        (
            SecretRef(kind="prefect", name="pc"),
            f"variable {OVERRIDE} and the Prefect block 'pc'. To mend it, make that block",
        ),
        (None, f"env/staging.yaml and the environment variable {OVERRIDE}. To mend it, write"),
    ],
)
def test_a_missing_secret_says_what_to_do(reference: SecretRef | None, told: str) -> None:
    """What is missing, where it was looked for, and how to mend it: one sentence each."""
    settings = {"client_secret": reference} if reference else {}
    connection = bound(settings, block=lambda _: None)  # type: ignore[arg-type]

    with pytest.raises(MissingSetting) as caught:
        connection.require("client_secret")

    assert told in str(caught.value)


def test_a_block_without_prefect_says_so() -> None:
    """Where nobody can ask Prefect, a block cannot be read, and the way around it is named."""
    connection = bound({"client_secret": SecretRef(kind="prefect", name="pc")})

    with pytest.raises(MissingSetting, match="nobody here can ask Prefect"):
        connection.get("client_secret")


def test_a_file_that_cannot_be_read_is_not_called_missing(tmp_path: Path) -> None:
    """A folder in the place of a file is another trouble than no file."""
    connection = bound({"client_secret": SecretRef(kind="file", name=".")}, folder=tmp_path)

    with pytest.raises(MissingSetting, match="cannot be read"):
        connection.get("client_secret")


def test_a_secret_is_not_handed_out_as_text() -> None:
    """Who asks for text never gets a secret."""
    with pytest.raises(TypeError):
        bound({"client_secret": "s"}).text("client_secret")


def test_a_connection_shows_no_secret() -> None:
    """Printing a connection tells where its secrets are kept, and not one of them."""
    connection = bound(
        {"client_secret": SecretRef(kind="env", name="PC_SECRET")}, process={"PC_SECRET": "hunter2"}
    )

    assert "hunter2" not in repr(connection)


@pytest.mark.parametrize(
    ("written", "seconds"), [("30", 30), ("30s", 30), ("500ms", 0.5), ("2m", 120), ("1.5s", 1.5)]
)
def test_timeouts_are_durations(written: str, seconds: float) -> None:
    """A number alone is seconds."""
    assert bound({"read_timeout": written}).seconds("read_timeout", 60) == seconds


@pytest.mark.parametrize("written", ["soon", "0", "-5s", "1h30"])
def test_a_timeout_that_is_none_is_refused(written: str) -> None:
    """A slip in a duration does not silently mean the default."""
    with pytest.raises(MissingSetting, match="write 30s"):
        bound({"read_timeout": written}).seconds("read_timeout", 60)


def test_a_list_is_separated_by_commas() -> None:
    """Hosts come from one variable of the process."""
    connection = bound({"certificate_hosts": "a.example, 127.0.0.1:9000 ,"})

    assert connection.listed("certificate_hosts") == ("a.example", "127.0.0.1:9000")
