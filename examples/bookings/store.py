"""The bookings themselves, in memory; both applications stand on it. Nothing here checks a shape: the gate has."""

from __future__ import annotations

import secrets
import threading
import uuid
from decimal import Decimal
from typing import Any

ROOMS: list[dict[str, Any]] = [
    {"id": 1, "city": "Lisbon", "guests": 2, "price": {"amount": "80.00", "currency": "EUR"}},
    {"id": 2, "city": "Porto", "guests": 4, "price": {"amount": "120.50", "currency": "EUR"}},
    {"id": 3, "city": "Leeds", "guests": 12, "price": {"amount": "310.00", "currency": "GBP"}},
]
USERS = {"ada@example.com": "correct horse"}


class Store:
    """Bookings by id, and tokens by user. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._bookings: dict[str, dict[str, Any]] = {}
        self._tokens: dict[str, str] = {}

    def login(self, email: str, password: str) -> str | None:
        """A token, or None for a wrong password."""
        known = USERS.get(email, "")
        if not secrets.compare_digest(known.encode(), password.encode()):
            return None
        token = secrets.token_urlsafe()
        self._tokens[token] = email
        return token

    def user(self, authorization: str | None) -> str | None:
        """Whose token an Authorization header carries."""
        kind, _, token = (authorization or "").partition(" ")
        return self._tokens.get(token) if kind.lower() == "bearer" else None

    def rooms(self, query: dict[str, Any]) -> list[dict[str, Any]]:
        """Rooms that fit."""
        fit = [
            room
            for room in ROOMS
            if room["guests"] >= query.get("guests", 1)
            and query.get("city", room["city"]) == room["city"]
        ]
        return fit[: query.get("limit", 20)]

    def room(self, room_id: int) -> dict[str, Any] | None:
        """One room."""
        return next((room for room in ROOMS if room["id"] == room_id), None)

    def book(self, new: dict[str, Any], user: str) -> dict[str, Any] | None:
        """A booking, or None when the room is taken."""
        with self._lock:
            for other in self._bookings.values():
                apart = other["to"] <= new["from"] or new["to"] <= other["from"]
                if other["room_id"] == new["room_id"] and not apart:
                    return None
            booking = {**new, "id": str(uuid.uuid4()), "by": user, "paid": "0.00"}
            self._bookings[booking["id"]] = booking
            return booking

    def booking(self, booking_id: str) -> dict[str, Any] | None:
        """One booking."""
        return self._bookings.get(booking_id)

    def change(self, booking_id: str, change: dict[str, Any]) -> dict[str, Any] | None:
        """The booking with the change, or None."""
        with self._lock:
            booking = self._bookings.get(booking_id)
            if booking is not None:
                booking.update(change)
            return booking

    def cancel(self, booking_id: str) -> bool:
        """Whether there was one."""
        with self._lock:
            return self._bookings.pop(booking_id, None) is not None

    def pay(self, booking_id: str, payment: dict[str, Any]) -> dict[str, Any] | None:
        """The booking with so much more paid."""
        with self._lock:
            booking = self._bookings.get(booking_id)
            if booking is not None:
                paid = Decimal(booking["paid"]) + Decimal(payment["cents"]) / 100
                booking["paid"] = f"{paid:.2f}"
            return booking

    def report(self, month: str) -> dict[str, Any]:
        """What came in for stays that begin in a month."""
        with self._lock:
            paid = [
                Decimal(b["paid"]) for b in self._bookings.values() if b["from"].startswith(month)
            ]
        return {"month": month, "bookings": len(paid), "paid": f"{sum(paid, Decimal()):.2f}"}
