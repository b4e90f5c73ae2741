"""Hash passwords and make random secrets. Passwords are hashed by Argon2id with the parameters of argon2-cffi.

Sessions, links and tokens are 256 random bits, so a plain SHA-256 of them is enough to keep the text itself unknown.
"""

from __future__ import annotations

import hashlib
import secrets

from flawline.errors import UsageError

SHORTEST = 10
LONGEST = 256


def new_secret() -> str:
    """Make a random text for a session, link or token."""
    return secrets.token_urlsafe(32)


def digest(secret: str) -> bytes:
    """Compute what is stored of a secret."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).digest()


def csrf_of(session: str) -> str:
    """Compute the text that forms and scripts of a session send along, which other sites cannot know."""
    return hashlib.sha256(b"csrf " + session.encode("utf-8", "replace")).hexdigest()


def hash_password(password: str) -> str:
    """Hash a password.

    Raises:
        UsageError: it is too short or too long.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise UsageError(f"expected a password of {SHORTEST} to {LONGEST} characters")
    from argon2 import PasswordHasher

    return PasswordHasher().hash(password)


def is_password(known: str | None, given: str) -> bool:
    """Compare a password with its hash, in the same time where there is no hash."""
    from argon2 import PasswordHasher
    from argon2.exceptions import Argon2Error, InvalidHashError

    hasher = PasswordHasher()
    if known is None or len(given) > LONGEST:
        hasher.hash(given[:LONGEST])
        return False
    try:
        return hasher.verify(known, given)
    except (Argon2Error, InvalidHashError):
        return False
