"""The permission table in words, in the language of the assistant's instructions.

A sentence is for the person who decides about the assistant; the model and the trace read `SENTENCES` of the rules.
"""

from __future__ import annotations

from collections.abc import Mapping

from frontdesk.assistants.permissions import NEEDS_APPROVAL, RUNS, SENTENCES

Words = Mapping[str, str]
# What is known only beside the record: the organization's API tools, the stored secrets, the operator's settings.
BESIDE = {
    "api_deleted": "the API tool has been deleted",
    "mcp_secret": "the secret of its server is not stored (mcp_tools)",
    "no_search_engine": "the operator of this installation has named no search engine",
}
REASONS: Mapping[str, Words] = {
    "ENG": {**{str(rule): said for rule, said in SENTENCES.items()}, **BESIDE},
    "ESP": {
        "allowed": "permitida",
        "unknown": "no existe una herramienta con este nombre",
        "no_skills": "el asistente no tiene habilidades",
        "not_configured": "la parte de la configuración que trae esta herramienta está apagada",
        "off": "la herramienta está apagada en internal_tools",
        "api_off": "el asistente no tiene esta herramienta de API, o está apagada (api_tools)",
        "mcp_off": "la herramienta o su servidor está apagado o fue retirado (mcp_tools)",
        "not_installed": "la herramienta no está disponible en esta versión",
        "access_none": "el asistente no tiene acceso a {entity} (access_permissions_{entity} es none)",
        "access_read": "el asistente solo puede leer {entity} (access_permissions_{entity} es read)",
        "disable_reply": "las respuestas están apagadas, así que nada puede enviarse al cliente",
        "needs_approval": "permitida, y una persona aprueba cada llamada antes de que se haga",
        "deleted": "el asistente fue eliminado",
        "follow_up_reads": "un seguimiento solo lee: nadie ha pedido nada",
        "no_tool_support": "el modelo que responde no sabe usar herramientas (supports_tools del modelo es false)",
        "api_deleted": "la herramienta de API fue eliminada",
        "mcp_secret": "el secreto de su servidor no está guardado (mcp_tools)",
        "no_search_engine": "el operador de esta instalación no ha indicado un buscador",
    },
}
_PHRASES: Mapping[str, Words] = {
    "ENG": {
        "yes": "{tool} may be used: it {effect}{reach}.",
        "asked": "{tool} may be used after a person has approved the call: it {effect}{reach}.",
        "no": "{tool} is not offered: {reason}.",
        "reads": "only reads",
        "changes": "may change data",
        "sends": "may send messages",
        "api": "calls another system",
        "mcp": "calls the server {server}",
        "own": ", within what belongs to the customer of the conversation",
        "organization": ", in all records of the organization",
        "asker": ", in all records that the person who asks may reach",
        "none": "",
    },
    "ESP": {
        "yes": "{tool} puede usarse: {effect}{reach}.",
        "asked": "{tool} puede usarse cuando una persona haya aprobado la llamada: {effect}{reach}.",
        "no": "{tool} no se ofrece: {reason}.",
        "reads": "solo lee",
        "changes": "puede cambiar datos",
        "sends": "puede enviar mensajes",
        "api": "llama a otro sistema",
        "mcp": "llama al servidor {server}",
        "own": ", en lo que pertenece al cliente de la conversación",
        "organization": ", en todos los registros de la organización",
        "asker": ", en todos los registros que alcanza la persona que pregunta",
        "none": "",
    },
}


def sentence_of(
    language: str, tool: str, rule: str, *, effect: str, reach: str, entity: str = "", server: str = ""
) -> str:
    """One row in words. `effect` is reads, changes, sends, api or mcp; `reach` own, organization, asker or none."""
    phrases = _PHRASES[language]
    if rule not in RUNS:
        return phrases["no"].format(tool=tool, reason=REASONS[language][rule].format(entity=entity))
    how = "asked" if rule == NEEDS_APPROVAL else "yes"
    return phrases[how].format(tool=tool, effect=phrases[effect].format(server=server), reach=phrases[reach])
