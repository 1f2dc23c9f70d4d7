"""The bookings API on Flask, behind the same policy: what one application refuses, the other refuses too.

gunicorn --chdir examples/bookings app_flask:app
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, request
from store import Store

import secval

gate = secval.Gate.from_file(Path(__file__).with_name("secval.toml"))
store = Store()
app = Flask(__name__)


def signed_in() -> str:
    """Who is asking: `[auth] required = "app"` means that this is ours to check."""
    user = store.user(request.headers.get("Authorization"))
    if user is None:
        abort(Response(status=401, headers={"WWW-Authenticate": "Bearer"}))
    return user


def found(value: dict[str, Any] | None) -> dict[str, Any]:
    """The value, or 404."""
    if value is None:
        abort(404)
    return value


@app.post("/v1/login")
def login() -> dict[str, str]:
    """A token for e-mail and password."""
    body = secval.current().json
    token = store.login(body["email"], body["password"])
    if token is None:
        abort(Response(status=401, headers={"WWW-Authenticate": "Bearer"}))
    return {"token": token}


@app.get("/v1/rooms")
def rooms() -> list[dict[str, Any]]:
    """Rooms that fit."""
    return store.rooms(secval.current().params["query"])


@app.get("/v1/rooms/<int:room_id>")
def room(room_id: int) -> dict[str, Any]:
    """One room."""
    return found(store.room(room_id))


@app.post("/v1/bookings")
def book() -> tuple[dict[str, Any], int]:
    """Books a room."""
    booking = store.book(secval.current().json, signed_in())
    if booking is None:
        abort(409)
    return booking, 201


@app.get("/v1/bookings/<booking_id>")
def booking(booking_id: str) -> dict[str, Any]:
    """One booking."""
    signed_in()
    return found(store.booking(booking_id))


@app.patch("/v1/bookings/<booking_id>")
def change(booking_id: str) -> dict[str, Any]:
    """Changes guests or note."""
    signed_in()
    return found(store.change(booking_id, secval.current().json))


@app.delete("/v1/bookings/<booking_id>")
def cancel(booking_id: str) -> Response:
    """Cancels it."""
    signed_in()
    if not store.cancel(booking_id):
        abort(404)
    return Response(status=204)


@app.post("/v1/bookings/<booking_id>/payments")
def pay(booking_id: str) -> tuple[dict[str, Any], int]:
    """Pays some of it."""
    signed_in()
    return found(store.pay(booking_id, secval.current().json)), 201


@app.get("/v1/admin/report")
def report() -> dict[str, Any]:
    """What came in."""
    signed_in()
    return store.report(secval.current().params["query"]["month"])


app.wsgi_app = secval.wsgi.GateMiddleware(app.wsgi_app, gate)  # type: ignore[method-assign]
