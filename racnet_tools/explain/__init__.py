"""What a network looks at: channel attention, attribution on the spectrum, and whether either can be trusted."""

__all__: list[str] = []
