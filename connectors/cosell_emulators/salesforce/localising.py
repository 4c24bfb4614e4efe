"""Refusals in the language of whoever called: only codes stay the same in every org."""

from collections.abc import Mapping
from typing import Any

_LANGUAGES = ("pt_BR", "de", "fr", "es", "da", "no", "ja")
# What English messages begin with or hold, and the same in the languages above.
_PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Required fields are missing",
        (
            "Campos obrigatórios ausentes",
            "Erforderliche Felder fehlen",
            "Champs requis manquants",
            "Faltan campos obligatorios",
            "Obligatoriske felter mangler",
            "Obligatoriske felt mangler",
            "必須項目がありません",
        ),
    ),
    (
        "data value too large",
        (
            "valor de dados muito grande",
            "Datenwert zu groß",
            "valeur de données trop grande",
            "valor de datos demasiado grande",
            "dataværdien er for stor",
            "dataverdien er for stor",
            "値が長すぎます",
        ),
    ),
    (
        "bad value for restricted picklist field",
        (
            "valor incorreto para campo de lista de opções restrita",
            "Ungültiger Wert für eingeschränktes Auswahllistenfeld",
            "valeur incorrecte pour le champ de liste de sélection limitée",
            "valor incorrecto para el campo de lista de selección restringida",
            "forkert værdi for begrænset valglistefelt",
            "ugyldig verdi for begrenset valglistefelt",
            "制限された選択リスト項目の値が正しくありません",
        ),
    ),
    (
        "duplicate value found",
        (
            "valor duplicado encontrado",
            "doppelter Wert gefunden",
            "valeur en double trouvée",
            "valor duplicado encontrado",
            "dobbelt værdi fundet",
            "duplikatverdi funnet",
            "重複する値が見つかりました",
        ),
    ),
    (
        "entity is deleted",
        (
            "a entidade foi excluída",
            "Entität wurde gelöscht",
            "l'entité est supprimée",
            "la entidad está eliminada",
            "enheden er slettet",
            "enheten er slettet",
            "エンティティは削除されました",
        ),
    ),
    (
        "invalid cross reference id",
        (
            "id de referência cruzada inválido",
            "Ungültige Querverweis-ID",
            "ID de référence croisée non valide",
            "id de referencia cruzada no válido",
            "ugyldigt krydsreference-id",
            "ugyldig kryssreferanse-ID",
            "無効な相互参照 ID",
        ),
    ),
    (
        "invalid email address",
        (
            "endereço de email inválido",
            "Ungültige E-Mail-Adresse",
            "adresse e-mail non valide",
            "dirección de correo electrónico no válida",
            "ugyldig e-mailadresse",
            "ugyldig e-postadresse",
            "無効なメールアドレス",
        ),
    ),
)


def localised(body: Any, language: str) -> Any:
    """Put the messages of an answer into a language, as far as the org knows it."""
    if language not in _LANGUAGES:
        return body
    return _translated(body, _LANGUAGES.index(language))


def _translated(body: Any, place: int) -> Any:
    if isinstance(body, list):
        return [_translated(inner, place) for inner in body]
    if not isinstance(body, Mapping):
        return body
    told = {key: _translated(inner, place) for key, inner in body.items()}
    if isinstance(told.get("message"), str) and ("errorCode" in told or "statusCode" in told):
        for english, others in _PHRASES:
            told["message"] = told["message"].replace(english, others[place])
    return told
