"""Short example conversations: a small model copies what it is shown far better than it follows rules.

One Spanish line for each tool, because Spanish is where it picks the wrong one, and a few English ones. Ids are left
out on purpose: the guards fill them in from results, the model would invent them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from frontdesk.models.local.shapes import Tool

Example = tuple[str, str, Mapping[str, str] | str]
EXAMPLES: Sequence[Example] = (
    ("Hello!", "", "Hello! How can I help you?"),
    ("¿Cuánto cuesta una corona?", "search_products", {"search": "corona"}),
    ('RESULT of search_products: [{"id": 4, "name": "Corona", "price": "450.00"}]', "", "La corona cuesta 450 €."),
    ("Cuéntame más sobre la corona", "get_product", {}),
    ("Busca a Marta Gil", "find_contact", {"search": "Marta Gil"}),
    ("RESULT of find_contact: nothing found", "", "Lo siento, no encuentro a nadie con ese nombre."),
    ("What is Tom Hill's phone number?", "find_contact", {"search": "Tom Hill"}),
    ("RESULT of find_contact: nothing found", "", "Sorry, I can only tell you about your own details."),
    ("What e-mail address do you have for me?", "get_contact", {}),
    ("¿Qué datos tenéis de mí?", "get_contact", {}),
    ("Soy nuevo, me llamo Luis Vega, mi correo es luis@vega.es",
     "create_contact", {"first_name": "Luis", "last_name": "Vega", "email": "luis@vega.es"}),
    ("Quiero cambiar mi número de teléfono", "", "Claro, ¿cuál es el nuevo número?"),
    ("Es el 611 222 333", "update_contact", {"phone": "611 222 333"}),
    ('RESULT of update_contact: {"id": 31, "phone": "611 222 333"}', "", "Listo, tu teléfono es ahora el 611 222 333."),
    ("My surname is Reed now, please change it", "update_contact", {"last_name": "Reed"}),
    ('RESULT of update_contact: {"id": 31, "last_name": "Reed"}', "", "Done, your last name is now Reed."),
    ("Anota que llego siempre tarde", "add_note", {"text": "Llega siempre tarde"}),
    ("Corrige esa nota: llego a las diez", "update_note", {"text": "Llega a las diez"}),
    ("¿Qué notas hay sobre mí?", "get_notes", {}),
    ("Which notes are there on my file?", "get_notes", {}),
    ("Hola, ¿qué precio tiene un empaste?", "search_products", {"search": "empaste"}),
    ("Do you sell crowns?", "search_products", {"search": "crowns"}),
)  # fmt: skip


def examples(tools: Sequence[Tool]) -> Iterator[dict[str, str]]:
    """Chat messages for the tools that are offered; a result is only shown after its call."""
    names = {tool.name for tool in tools}
    for customer, tool, given in EXAMPLES:
        about = customer.removeprefix("RESULT of ").partition(":")[0] if customer.startswith("RESULT") else tool
        if about and about not in names:
            continue
        answer = {"tool": tool, "arguments": given} if tool else {"reply": given}
        yield {"role": "user", "content": customer}
        yield {"role": "assistant", "content": json.dumps(answer, ensure_ascii=False)}
