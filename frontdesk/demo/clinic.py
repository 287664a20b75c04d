"""Luna Dental: everybody in it is invented; the numbers are from ranges kept for fiction."""

from collections.abc import Mapping
from typing import Final

Row = Mapping[str, object]

NAME: Final = "Luna Dental"
TIMEZONE: Final = "America/New_York"
CURRENCY: Final = "USD"
OWNER: Final = {"email": "demo@example.com", "first_name": "Lucía", "last_name": "Reyes", "role": "owner"}


def contact(first: str, last: str, phone: str, code: str = "+1", iso: str = "US") -> Row:
    return {
        "first_name": first,
        "last_name": last,
        "email": f"{first}.{last}@example.com".lower().replace(" ", "").replace("á", "a").replace("í", "i"),
        "phone": phone,
        "phone_country_code": code,
        "phone_country_iso": iso,
    }


# The first one is the contact of `demo.json`.
CONTACTS: Final[tuple[Row, ...]] = (
    contact("Ana", "Torres", "2125550143"),
    contact("Ben", "Walker", "2125550117"),
    contact("Carla", "Mendoza", "2125550162"),
    contact("David", "Kim", "2125550128"),
    contact("Elena", "Rossi", "6465550109"),
    contact("Frank", "Osei", "6465550184"),
    contact("Gabriela", "Luna", "900123456", "+34", "ES"),
    contact("Henry", "Clark", "7185550136"),
)


def service(
    sku: str, name: str, price: float, description: str, kind: str = "service", stock: int | None = None
) -> Row:
    row = {"sku": sku, "name": name, "price": price, "description": description, "type": kind}
    return row if stock is None else {**row, "stock_quantity": stock}


PRODUCTS: Final[tuple[Row, ...]] = (
    service("CHECK-01", "Check-up", 60, "Examination with advice. 30 minutes. / Revisión con consejo. 30 minutos."),
    service("CLEAN-01", "Dental cleaning", 95, "Scaling and polishing. 45 minutes. / Limpieza dental. 45 minutos."),
    service("WHITE-01", "Teeth whitening", 320, "One session in the chair. 75 minutes. / Blanqueamiento dental."),
    service("FILL-01", "Tooth filling", 150, "White composite, one tooth. 40 minutes. / Empaste de una pieza."),
    service("ROOT-01", "Root canal", 690, "One tooth, two visits of 60 minutes. / Endodoncia de una pieza."),
    service("CROWN-01", "Ceramic crown", 980, "Two visits, lasts 10 years or more. / Corona de cerámica."),
    service("EXTR-01", "Tooth extraction", 180, "Simple extraction with local anaesthesia. / Extracción simple."),
    service(
        "ALIGN-01", "Clear aligners, consultation", 0, "Free first talk with a 3D scan. / Alineadores, consulta gratis."
    ),
    service("KIDS-01", "Children's check-up", 45, "Up to 12 years. 30 minutes. / Revisión infantil hasta 12 años."),
    service("EMERG-01", "Emergency visit", 120, "Same day, pain first. / Urgencia, el mismo día."),
    service(
        "BRUSH-01", "Electric toothbrush", 79, "With two heads. / Cepillo eléctrico con dos cabezales.", "product", 14
    ),
    service("PASTE-01", "Sensitive toothpaste", 8.5, "75 ml. / Pasta para dientes sensibles, 75 ml.", "product", 40),
)

# Index of the contact, and the note; internal ones are never shown in a customer's conversation.
NOTES: Final[tuple[tuple[int, str, bool], ...]] = (
    (0, "Prefers appointments before 11 in the morning.", False),
    (0, "Nervous about needles: explain each step.", True),
    (1, "Asked about whitening in spring.", False),
    (2, "Prefiere que le escriban en español.", False),
    (3, "Allergic to penicillin.", True),
    (4, "Aligners, second visit done.", False),
)

COMPANY: Final[Row] = {
    "name": "Harbor Street School",
    "industry": "Education",
    "size": "Medium",
    "website": "https://harbor-street-school.example",
}
COMPANY_OF: Final = 2  # index of the contact who works there
# Index of the contact, the stage, the deal, and its lines: index of the product with the rest of the line.
DEALS: Final[tuple[tuple[int, str, Row, tuple[tuple[int, Row], ...]], ...]] = (
    (1, "New", {"name": "Whitening in spring", "amount": 320}, ((2, {"quantity": 1, "price": 320}),)),
    (
        2,
        "Proposal",
        {"name": "Check-ups for the school", "amount": 1000},
        (
            (8, {"quantity": 20, "price": 45, "discount_type": "percentage", "discount_percentage": 10}),
            (11, {"quantity": 20, "price": 8.5, "discount_type": "fixed", "discount_amount": 20, "tax_percentage": 8}),
        ),
    ),
)

TOOLS: Final = (
    "find_contact",
    "get_contact",
    "create_contact",
    "update_contact",
    "add_note",
    "update_note",
    "get_notes",
    "get_product",
    "search_products",
)

GUIDE: Final[Row] = {
    "business_name": NAME,
    "business_description": (
        "A dental clinic at 12 Harbor Street, New York. Open Monday to Friday 9:00-18:00 and Saturday 9:00-13:00. "
        "Phone +1 212 555 0100. Parking is behind the building."
    ),
    "role": "receptionist",
    "tone": "friendly",
    "goals": [
        "answer questions about the clinic, its services and prices",
        "keep the customer's own contact details correct",
        "note what the customer wants the team to know",
    ],
    "rules": [
        "answer in the language of the customer, English or Spanish",
        "take prices and services only from the catalogue",
        "never give a diagnosis or medical advice; offer a check-up instead",
        "appointments are made by phone; offer the number and to leave a note",
    ],
    "forbidden_topics": ["other patients"],
    "faqs": [
        {"question": "Do you take insurance?", "answer": "Yes, most dental plans; bring your card to the first visit."},
        {"question": "¿Hablan español?", "answer": "Sí, todo el equipo habla español."},
        {"question": "Can I cancel a visit?", "answer": "Yes, without cost until 24 hours before."},
    ],
    "greeting": "Hello, this is Luna Dental. How can I help you?",
}

ASSISTANT: Final[Row] = {
    "name": "Luna",
    "assistant_type": "conversation",
    "timezone": TIMEZONE,
    "instructions_language": "ENG",
    "is_easy_mode": True,
    "easy_mode_config": GUIDE,
    "internal_tools": {"tools": dict.fromkeys(TOOLS, True)},
    "access_permissions_contact": "read_write",
    "enable_message_burst_handling": False,
}

CHANNEL: Final[Row] = {"channel": "webchat", "name": "Website chat"}

# After the first assistant, which is the one of `demo.json`.
TICKET_ASSISTANT: Final[Row] = {
    **ASSISTANT,
    "name": "Luna, tickets",
    "assistant_type": "support-ticket",
    "easy_mode_config": {
        **GUIDE,
        "role": "support agent",
        "goals": ["solve what the ticket is about, or say who will", "ask for what is missing, in one message"],
        "greeting": "Hello, thank you for writing to Luna Dental.",
    },
}

# For the clinic's own people: it reads much, and sends nothing.
TEAM_TOOLS: Final = (
    "find_contact", "get_contact", "update_contact", "get_notes", "add_note", "find_deals", "get_deal", "find_company",
    "get_company", "get_activities", "create_activity", "find_organization_members", "search_products", "get_product",
    "find_conversations", "get_conversation",
)  # fmt: skip
TEAM_ASSISTANT: Final[Row] = {
    "name": "Luna, team",
    "assistant_type": "ai-chat",
    "timezone": TIMEZONE,
    "instructions": "You help the people of Luna Dental: you look up patients, visits and deals, and note things.",
    "internal_tools": {"tools": dict.fromkeys(TEAM_TOOLS, True)},
    "access_permissions_contact": "read_write",
    "access_permissions_deals": "read",
}

# Index of the contact, the ticket, and what a person answered. Neither waits for a model: nothing runs by itself.
TICKETS: Final[tuple[tuple[int, Row, str | None], ...]] = (
    (
        1,
        {
            "subject": "Charged twice for the cleaning",
            "priority": "high",
            "tags": ["billing"],
            "message_text": "My card shows two payments of 95 dollars for the same cleaning on Tuesday.",
        },
        "Hello Ben, you are right. I have asked the bank to return one of them; it takes two to five days.",
    ),
    (
        2,
        {
            "subject": "Factura para el seguro",
            "tags": ["insurance"],
            "message_text": "Hola, ¿me pueden enviar la factura del empaste con el código para mi seguro?",
        },
        None,
    ),
)
