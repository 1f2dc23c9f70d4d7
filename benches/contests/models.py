"""`ORDER_SCHEMA` as the typed models of two peers: the same bounds, lengths, pattern and closed members."""

from __future__ import annotations

from typing import Annotated, Any, Literal

Currency = Literal["EUR", "USD", "GBP", "JPY"]
EMAIL = r"^[a-z]+@[a-z]+\.example$"


def msgspec_decoder() -> Any:
    """`msgspec.json.Decoder(Order).decode`."""
    import msgspec
    from msgspec import Meta, Struct

    class Customer(Struct, forbid_unknown_fields=True):
        name: Annotated[str, Meta(min_length=1, max_length=100)]
        email: Annotated[str, Meta(pattern=EMAIL)]
        vip: bool = False

    class Line(Struct, forbid_unknown_fields=True):
        sku: Annotated[str, Meta(min_length=4, max_length=20)]
        quantity: Annotated[int, Meta(ge=1, le=999)]
        price: Annotated[float, Meta(ge=0, le=1_000_000)]
        tags: Annotated[list[Annotated[str, Meta(max_length=32)]], Meta(max_length=8)] = []
        gift: bool = False

    class Order(Struct, forbid_unknown_fields=True):
        id: Annotated[int, Meta(ge=1, le=9007199254740991)]
        customer: Customer
        currency: Currency
        lines: Annotated[list[Line], Meta(max_length=100_000)]
        note: Annotated[str, Meta(max_length=4000)] = ""

    spaces = {"Customer": Customer, "Line": Line, "Annotated": Annotated, "Meta": Meta}
    globals().update(spaces)  # msgspec resolves the annotations here
    return msgspec.json.Decoder(Order).decode


def pydantic_order() -> Any:
    """The model, strict, as `ORDER_SCHEMA` is."""
    from pydantic import BaseModel, ConfigDict, Field, create_model

    closed = ConfigDict(extra="forbid", strict=True)
    customer = create_model(
        "Customer",
        __config__=closed,
        name=Annotated[str, Field(min_length=1, max_length=100)],
        email=Annotated[str, Field(pattern=EMAIL)],
        vip=(bool, False),
    )
    line = create_model(
        "Line",
        __config__=closed,
        sku=Annotated[str, Field(min_length=4, max_length=20)],
        quantity=Annotated[int, Field(ge=1, le=999)],
        price=Annotated[float, Field(ge=0, le=1_000_000)],
        tags=(Annotated[list[Annotated[str, Field(max_length=32)]], Field(max_length=8)], []),
        gift=(bool, False),
    )
    order: type[BaseModel] = create_model(
        "Order",
        __config__=closed,
        id=Annotated[int, Field(ge=1, le=9007199254740991)],
        customer=customer,
        currency=Currency,
        lines=Annotated[list[line], Field(max_length=100_000)],  # type: ignore[valid-type]
        note=(Annotated[str, Field(max_length=4000)], ""),
    )
    return order
