"""The bookings API on FastAPI, behind the gate.

The handlers declare no models: the gate has judged the request against openapi.yaml before they run, and
`secval.current()` has the parsed body and the parameters, already of their types.

    uvicorn --no-proxy-headers --app-dir examples/bookings app_fastapi:app
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Response, WebSocket
from store import Store

import secval

gate = secval.Gate.from_file(Path(__file__).with_name("secval.toml"))
store = Store()
api = APIRouter(prefix="/v1")


def signed_in(authorization: Annotated[str | None, Header()] = None) -> str:
    """Who is asking: `[auth] required = "app"` means that this is ours to check."""
    user = store.user(authorization)
    if user is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return user


User = Annotated[str, Depends(signed_in)]


def found(value: dict[str, Any] | None) -> dict[str, Any]:
    """The value, or 404."""
    if value is None:
        raise HTTPException(404)
    return value


@api.post("/login")
async def login() -> dict[str, str]:
    """A token for e-mail and password."""
    body = secval.current().json
    token = store.login(body["email"], body["password"])
    if token is None:
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return {"token": token}


@api.get("/rooms")
async def rooms() -> list[dict[str, Any]]:
    """Rooms that fit."""
    return store.rooms(secval.current().params["query"])


@api.get("/rooms/{room_id}")
async def room(room_id: int) -> dict[str, Any]:
    """One room."""
    return found(store.room(room_id))


@api.websocket("/rooms/{room_id}/events")
async def room_events(socket: WebSocket) -> None:
    """Says that it is there; a real one would say when the room is booked."""
    await socket.accept()
    await socket.send_json({"room": secval.current().params["path"]["room_id"], "event": "hello"})
    await socket.close()


@api.post("/bookings", status_code=201)
async def book(user: User) -> dict[str, Any]:
    """Books a room."""
    booking = store.book(secval.current().json, user)
    if booking is None:
        raise HTTPException(409)
    return booking


@api.get("/bookings/{booking_id}")
async def booking(booking_id: str, _: User) -> dict[str, Any]:
    """One booking."""
    return found(store.booking(booking_id))


@api.patch("/bookings/{booking_id}")
async def change(booking_id: str, _: User) -> dict[str, Any]:
    """Changes guests or note."""
    return found(store.change(booking_id, secval.current().json))


@api.delete("/bookings/{booking_id}", status_code=204)
async def cancel(booking_id: str, _: User) -> Response:
    """Cancels it."""
    if not store.cancel(booking_id):
        raise HTTPException(404)
    return Response(status_code=204)


@api.post("/bookings/{booking_id}/payments", status_code=201)
async def pay(booking_id: str, _: User) -> dict[str, Any]:
    """Pays some of it."""
    return found(store.pay(booking_id, secval.current().json))


@api.get("/admin/report")
async def report(_: User) -> dict[str, Any]:
    """What came in."""
    return store.report(secval.current().params["query"]["month"])


# FastAPI's own documents are not part of this API: the gate would answer 404 for them, so they are not made.
app = FastAPI(title="Bookings", openapi_url=None)
app.include_router(api)
app.add_middleware(secval.asgi.GateMiddleware, gate=gate)
