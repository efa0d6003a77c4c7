# api/startup/__init__.py
"""What makes a cold start shorter (docs/decisions/0100): `api.app` begins it before all else, and ends it.

No garbage is collected meanwhile: what importing makes stays, and to look through all of it again and again costs a
twentieth of a cold start. What libraries make is left until it is asked for, or worked out once. When the gateway
answers, all libraries are their own again.
"""

import gc

from api.startup import late_methods, late_modules


def begin() -> None:
    gc.disable()
    late_methods.begin()
    late_modules.begin()
    from api.startup import schema_making  # late: it imports Strawberry

    schema_making.begin()


def end() -> None:
    """From here on garbage is collected, but never looked for among what is there already."""
    from api.startup import schema_making  # late, as above

    schema_making.end()
    late_methods.end()
    gc.freeze()
    gc.enable()
