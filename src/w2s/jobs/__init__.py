"""Between plan and scheduler: experiments by name, cost estimates, resources, status and explanations. Light."""
