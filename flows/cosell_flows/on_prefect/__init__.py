"""Drive flows as Prefect flows: one task a step, deployments with forms, reports, a runner."""
