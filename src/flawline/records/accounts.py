"""Store accounts of a server, what lets them in, and who did what.

Secrets never reach this module: passwords come as hashes, and sessions, links and tokens as SHA-256 digests of random
texts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, get_args

from sqlalchemy import Engine, Row, func, insert, or_, select, update

from flawline.data.times import from_micros, micros
from flawline.errors import StoreError, UsageError
from flawline.records.engine import reading, writing
from flawline.records.tables import account, action, credential
from flawline.records.write import clean

Role: TypeAlias = Literal["viewer", "operator", "engineer", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Roles in their order: each may do what those before it may."""
CredentialKind: TypeAlias = Literal["session", "link", "token"]
LONGEST_NAME = 64


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may use a server. `password` is a hash; None where only a link lets in."""

    id: int
    name: str
    role: Role
    password: str | None
    created: datetime
    disabled: bool


@dataclass(frozen=True, slots=True)
class Credential:
    """What lets an account in: a session, a one-time link or a token; `role` is the most that it allows."""

    id: int
    account: Account
    kind: CredentialKind
    name: str
    role: Role
    created: datetime
    expires: datetime | None


@dataclass(frozen=True, slots=True)
class Action:
    """One line of the audit trail: who did what about what, from which address."""

    time: datetime
    who: str
    what: str
    about: str
    address: str


class AccountBook:
    """The accounts in a store: `Store.accounts`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> int:
        """Count the accounts that are not disabled."""
        query = select(func.count()).select_from(account).where(account.c.disabled.is_(False))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one()

    def list(self) -> tuple[Account, ...]:
        """List all accounts by name."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(account).order_by(account.c.name)).all()
        return tuple(map(_account, rows))

    def find(self, name: str) -> Account | None:
        """Return the account of a name; None where there is none."""
        query = select(account).where(account.c.name == clean(name))
        with reading(self._engine) as connection:
            row = connection.execute(query).first()
        return None if row is None else _account(row)

    def add(self, name: str, role: Role, when: datetime, password: str | None = None) -> Account:
        """Add an account.

        Raises:
            UsageError: an unknown role, an empty or long name, or one that is taken.
            StoreError: it could not be written.
        """
        name = clean(name).strip()
        _check_role(role)
        if not 0 < len(name) <= LONGEST_NAME:
            raise UsageError(
                f"expected a name of 1 to {LONGEST_NAME} characters, got {name[:80]!r}"
            )
        row = {
            "name": name,
            "role": role,
            "password": password,
            "created": micros(when),
            "disabled": False,
        }
        with writing(self._engine) as connection:
            taken = select(account.c.id).where(account.c.name == name)
            if connection.execute(taken).first() is not None:
                raise UsageError(
                    f"there is an account {name!r} already", hint="choose another name"
                )
            connection.execute(insert(account), row)
        found = self.find(name)
        assert found is not None
        return found

    def change(
        self,
        name: str,
        *,
        role: Role | None = None,
        password: str | None = None,
        disabled: bool | None = None,
        when: datetime,
    ) -> Account:
        """Change an account; its sessions and tokens end where it is disabled or its password changes.

        Raises:
            UsageError: an unknown role, or the last admin would be lost.
            StoreError: ("store-unknown") there is none of this name.
        """
        found = self.find(name)
        if found is None:
            raise StoreError(f"there is no account {name!r}", code="store-unknown")
        if role is not None:
            _check_role(role)
        given = {"role": role, "password": password, "disabled": disabled}
        values = {key: value for key, value in given.items() if value is not None}
        with writing(self._engine) as connection:
            admins = select(func.count()).where(
                account.c.role == "admin",
                account.c.disabled.is_(False),
                account.c.id != found.id,
            )
            loses = disabled or (role is not None and role != "admin")
            if found.role == "admin" and loses and not connection.execute(admins).scalar_one():
                raise UsageError(
                    f"{name!r} is the last admin", hint="make somebody else an admin first"
                )
            if values:
                connection.execute(update(account).where(account.c.id == found.id).values(values))
            if disabled or password is not None:
                own = credential.c.account == found.id, credential.c.ended.is_(None)
                connection.execute(update(credential).where(*own).values(ended=micros(when)))
        changed = self.find(name)
        assert changed is not None
        return changed

    def let_in(
        self,
        owner: Account,
        kind: CredentialKind,
        digest: bytes,
        when: datetime,
        *,
        name: str = "",
        role: Role | None = None,
        expires: datetime | None = None,
    ) -> None:
        """Write a session, link or token.

        Args:
            owner: whose it is.
            kind: what it is.
            digest: the SHA-256 of its secret text.
            when: now.
            name: what its owner calls it.
            role: the most that it allows; that of its owner if not given.
            expires: when it ends by itself; None for never.

        Raises:
            UsageError: it would allow more than its owner may.
        """
        role = role or owner.role
        _check_role(role)
        if ROLES.index(role) > ROLES.index(owner.role):
            raise UsageError(f"{owner.name!r} is {owner.role} and cannot give the rights of {role}")
        row = {
            "digest": digest,
            "account": owner.id,
            "kind": kind,
            "name": clean(name)[:LONGEST_NAME],
            "role": role,
            "created": micros(when),
            "expires": None if expires is None else micros(expires),
        }
        with writing(self._engine) as connection:
            connection.execute(insert(credential), row)

    def credential_of(
        self, digest: bytes, kind: CredentialKind, when: datetime
    ) -> Credential | None:
        """Return a credential that lets in now; None where it is unknown, ended, or its account disabled."""
        with reading(self._engine) as connection:
            row = connection.execute(_valid(digest, kind, when)).first()
        return None if row is None else _credential(row)

    def use_link(self, digest: bytes, when: datetime) -> Account | None:
        """Take a one-time link: it lets its account in once; None where it is unknown, used or over."""
        with writing(self._engine) as connection:
            row = connection.execute(_valid(digest, "link", when)).first()
            if row is None:
                return None
            used = (
                update(credential).where(credential.c.digest == digest).values(ended=micros(when))
            )
            connection.execute(used)
        return _credential(row).account

    def end(self, digest: bytes, when: datetime) -> None:
        """End a session."""
        with writing(self._engine) as connection:
            own = credential.c.digest == digest, credential.c.ended.is_(None)
            connection.execute(update(credential).where(*own).values(ended=micros(when)))

    def tokens(self, owner: Account) -> tuple[Credential, ...]:
        """List the tokens of an account that have not ended, the newest first."""
        query = _joined().where(
            credential.c.account == owner.id,
            credential.c.kind == "token",
            credential.c.ended.is_(None),
        )
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(credential.c.id.desc())).all()
        return tuple(map(_credential, rows))

    def end_token(self, owner: Account, number: int, when: datetime) -> None:
        """End a token.

        Raises:
            StoreError: ("store-unknown") the account has no such token.
        """
        own = (
            credential.c.id == number,
            credential.c.account == owner.id,
            credential.c.kind == "token",
            credential.c.ended.is_(None),
        )
        with writing(self._engine) as connection:
            done = connection.execute(update(credential).where(*own).values(ended=micros(when)))
        if not done.rowcount:
            raise StoreError(f"there is no token {number}", code="store-unknown")

    def note(self, item: Action) -> None:
        """Add a line to the audit trail."""
        texts = {
            name: clean(getattr(item, name))[:500] for name in ("who", "what", "about", "address")
        }
        with writing(self._engine) as connection:
            connection.execute(insert(action), {"time": micros(item.time), **texts})

    def actions(
        self, *, count: int = 100, before: int | None = None
    ) -> tuple[tuple[int, Action], ...]:
        """List the audit trail with its numbers, the newest first; `before` is the number to go on from."""
        query = select(action).order_by(action.c.id.desc()).limit(count)
        if before is not None:
            query = query.where(action.c.id < before)
        with reading(self._engine) as connection:
            rows = connection.execute(query).all()
        return tuple(
            (row.id, Action(from_micros(row.time), row.who, row.what, row.about, row.address))
            for row in rows
        )


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UsageError(f"expected a role of {', '.join(ROLES)}, got {role!r}")


def _joined() -> Any:
    columns = (*credential.c, *(column.label(f"account_{column.name}") for column in account.c))
    return select(*columns).join(account, credential.c.account == account.c.id)


def _valid(digest: bytes, kind: CredentialKind, when: datetime) -> Any:
    return _joined().where(
        credential.c.digest == digest,
        credential.c.kind == kind,
        credential.c.ended.is_(None),
        or_(credential.c.expires.is_(None), credential.c.expires > micros(when)),
        account.c.disabled.is_(False),
    )


def _account(row: Row[Any], prefix: str = "") -> Account:
    values = {name: getattr(row, f"{prefix}{name}") for name in Account.__dataclass_fields__}
    return Account(**{**values, "created": from_micros(values["created"])})


def _credential(row: Row[Any]) -> Credential:
    owner = _account(row, "account_")
    # A later change of the account's role lowers what its sessions and tokens allow.
    role = min(row.role, owner.role, key=ROLES.index)
    expires = None if row.expires is None else from_micros(row.expires)
    return Credential(row.id, owner, row.kind, row.name, role, from_micros(row.created), expires)
