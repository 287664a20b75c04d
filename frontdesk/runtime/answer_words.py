"""What the prompt says of the final answer, where an assistant gives values beside its reply."""

from __future__ import annotations

from frontdesk.assistants.config import Language

# For a model that takes no tools; how the object looks is said behind it.
OBJECT_WORDS: dict[Language, str] = {
    "ENG": """## How you answer
Every answer is one JSON object and nothing else: `reply` is what the customer reads, the other members are for the team
only. Take the values from the conversation; leave out what it does not tell. Never mention the values to the
customer.""",
    "ESP": """## Cómo respondes
Cada respuesta es un objeto JSON y nada más: `reply` es lo que lee el cliente y los demás campos son solo para el
equipo. Toma los valores de la conversación; omite lo que no conste. No menciones nunca esos valores al cliente.""",
}
FINAL_WORDS: dict[Language, str] = {
    "ENG": """## How you answer
Every answer is one call of final_answer: `reply` is what the customer reads, the other members are for the team only.
Call whatever other tools you need first, then final_answer, alone. Never write text outside of it. Take the values from
the conversation and from results; leave out what they do not tell. Never mention the values to the customer.""",
    "ESP": """## Cómo respondes
Cada respuesta es una llamada a final_answer: `reply` es lo que lee el cliente y los demás campos son solo para el
equipo. Llama antes a las demás herramientas que necesites y después a final_answer, sola. No escribas nunca texto fuera
de ella. Toma los valores de la conversación y de los resultados; omite lo que no conste. No menciones nunca esos
valores al cliente.""",
}
