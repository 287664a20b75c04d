"""The words of claims, English and Spanish: which participles say that something was done, and of which kind."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["booked", "changed", "noted", "created", "sent", "cancelled", "deleted", "passed_on", "paid"]

KINDS: tuple[Kind, ...] = get_args(Kind)

ENGLISH: dict[Kind, str] = {
    "booked": "booked|reserved|scheduled|confirmed|arranged|signed up|enrolled",
    "changed": (
        "changed|updated|modified|moved|rescheduled|corrected|edited|replaced|adjusted|applied|activated|deactivated"
        "|enabled|disabled|blocked|unblocked|renewed|extended|upgraded|subscribed|unsubscribed|fixed"
    ),
    "noted": "noted|saved|recorded|registered|added|stored|logged|written down|jotted down|attached",
    "created": "created|generated|issued|set up|opened|placed",
    "sent": "sent|resent|re-sent|e-?mailed|texted|mailed|shared|shipped|submitted|dispatched",
    "cancelled": "cancell?ed|called off|revoked|withdrawn",
    "deleted": "deleted|removed|erased|cleared",
    "passed_on": (
        "passed|forwarded|escalated|flagged|reported|notified|informed|alerted|assigned|transferred|requested|handed"
        "|relayed"
    ),
    "paid": "refunded|reimbursed|charged|credited|paid|processed",
}
SPANISH: dict[Kind, str] = {  # stems of participles; the endings are added
    "booked": "reservad|agendad|programad|apartad|confirmad|citad|inscrit|concertad",
    "changed": (
        "cambiad|actualizad|modificad|corregid|movid|reprogramad|reagendad|editad|ajustad|aplicad|activad|desactivad"
        "|bloquead|desbloquead|renovad|suscrit|sustituid|reemplazad|ampliad|adelantad|aplazad|pospuest|solucionad"
    ),
    "noted": "anotad|apuntad|guardad|registrad|añadid|agregad|adjuntad|almacenad|incorporad",
    "created": "cread|generad|abiert|emitid|tramitad",
    "sent": "enviad|mandad|remitid|compartid|despachad|reenviad",
    "cancelled": "cancelad|anulad|revocad",
    "deleted": "eliminad|borrad|quitad|suprimid",
    "passed_on": "pasad|derivad|avisad|informad|notificad|escalad|trasladad|transferid|asignad|solicitad|comunicad",
    "paid": "reembolsad|devuelt|cobrad|abonad|pagad|procesad",
}
# First person of the preterite. The accent tells it from orders and wishes: "envié" and "envíe".
PRETERITE: dict[Kind, str] = {
    "booked": "reservé|agendé|programé|aparté|confirmé|concerté|inscribí",
    "changed": "cambié|actualicé|modifiqué|corregí|moví|reprogramé|reagendé|edité|ajusté|apliqué|activé|renové",
    "noted": "anoté|apunté|guardé|registré|añadí|agregué|adjunté",
    "created": "creé|generé|abrí|emití|tramité",
    "sent": "envié|mandé|remití|compartí|reenvié",
    "cancelled": "cancelé|anulé",
    "deleted": "eliminé|borré|quité",
    "passed_on": "pasé|derivé|avisé|informé|notifiqué|escalé|trasladé|transferí|asigné|solicité|comuniqué",
    "paid": "reembolsé|devolví|cobré|aboné|pagué|procesé",
}
# "Se canceló tu cita", and "ya reservamos": the plural is the present too, so it needs its "ya".
REFLEXIVE: dict[Kind, str] = {
    "booked": "reservó|agendó|programó|apartó|confirmó|concertó",
    "changed": "cambió|actualizó|modificó|corrigió|movió|reprogramó|reagendó|ajustó|aplicó|activó|desactivó|renovó",
    "noted": "anotó|apuntó|guardó|registró|añadió|agregó|adjuntó",
    "created": "creó|generó|abrió|emitió|tramitó",
    "sent": "envió|mandó|remitió|compartió|reenvió",
    "cancelled": "canceló|anuló",
    "deleted": "eliminó|borró|quitó",
    "passed_on": "pasó|derivó|avisó|informó|notificó|escaló|trasladó|transfirió|asignó|solicitó",
    "paid": "reembolsó|devolvió|cobró|abonó|procesó",
}
_IN_IERON = ("corrigió", "movió", "abrió", "emitió", "remitió", "compartió", "transfirió", "devolvió")
for _kind, _words in REFLEXIVE.items():
    _plural = (f"{w[:-2]}ieron" if w in _IN_IERON else f"{w[:-1]}aron" for w in _words.split("|"))
    REFLEXIVE[_kind] = "|".join((_words, *_plural))
PLURAL: dict[Kind, str] = {
    "booked": "reservamos|agendamos|programamos|confirmamos",
    "changed": "cambiamos|actualizamos|modificamos|corregimos|movimos|reprogramamos|reagendamos",
    "noted": "anotamos|apuntamos|guardamos|registramos|añadimos|agregamos",
    "created": "creamos|generamos|abrimos",
    "sent": "enviamos|mandamos",
    "cancelled": "cancelamos|anulamos",
    "deleted": "eliminamos|borramos",
    "passed_on": "pasamos|avisamos|informamos|notificamos|derivamos",
    "paid": "reembolsamos|devolvimos|cobramos",
}
INFINITIVE: dict[Kind, str] = {  # after "acabo de", "he podido", "procedí a"
    "booked": "reservar|agendar|programar|confirmar|concertar",
    "changed": "cambiar|actualizar|modificar|corregir|mover|reprogramar|reagendar|ajustar|aplicar|activar|desactivar",
    "noted": "anotar|apuntar|guardar|registrar|añadir|agregar",
    "created": "crear|generar|abrir|emitir|tramitar",
    "sent": "enviar|mandar|reenviar",
    "cancelled": "cancelar|anular",
    "deleted": "eliminar|borrar|quitar",
    "passed_on": "pasar|avisar|informar|notificar|derivar|escalar|transferir|solicitar",
    "paid": "reembolsar|devolver|cobrar|abonar|procesar",
}
BARE: dict[Kind, str] = {  # the English infinitive, after "managed to", "was able to", "went ahead to"
    "booked": "book|reserve|schedule|confirm|arrange",
    "changed": "change|update|modify|move|reschedule|correct|adjust|apply|activate",
    "noted": "note|save|record|register|add",
    "created": "create|generate|open|set up|place",
    "sent": "send|resend|email|submit|share",
    "cancelled": "cancel",
    "deleted": "delete|remove",
    "passed_on": "pass|forward|escalate|notify|inform|request",
    "paid": "refund|charge|process",
}
# What a claim is about, where it is about this customer and no news of the house.
THINGS_ENGLISH = (
    "appointments?|bookings?|reservations?|orders?|requests?|tickets?|notes?|invoices?|quotes?|e-?mails?|messages?"
    "|details|confirmations?|refunds?|payments?|meetings?|visits?|changes?|reminders?|verification|codes?|subscriptions?"
    "|cancell?ations?|forms?|copy|estimates?|profile|records?|case|complaint|callback|sessions?|slot|deal|link|files?"
)
THINGS_SPANISH = (
    "citas?|reservas?|reservaci[oó]n(?:es)?|turnos?|pedidos?|solicitud(?:es)?|tickets?|notas?|facturas?|presupuestos?"
    "|correos?|mensajes?|datos|confirmaci[oó]n|reembolsos?|pagos?|reuni[oó]n|visitas?|cambios?|recordatorios?|c[oó]digos?"
    "|suscripci[oó]n|cancelaci[oó]n|formularios?|copia|perfil|ficha|registros?|caso|queja|reclamaci[oó]n|sesi[oó]n"
    "|tel[eé]fono|direcci[oó]n|n[uú]mero|enlaces?|documentos?|archivos?|devoluci[oó]n|plaza|cotizaci[oó]n"
)
