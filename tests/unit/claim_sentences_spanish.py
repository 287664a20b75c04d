"""Spanish sentences of replies: what each claims to have done. Written before the rules were tried on them."""

CLAIMS = """
booked: Te he reservado la cita para el lunes.
booked: He reservado tu cita para el martes a las 9.
booked: Ya te agendé para el viernes.
booked: Tu cita ya está reservada.
booked: Tu cita ha quedado agendada para el lunes.
booked: Tu cita quedó agendada.
booked: Ya quedó reservada.
booked: Quedaste agendado para el jueves a las 10.
booked: Tu reserva está confirmada.
booked: La cita ha sido confirmada.
booked: Se ha reservado tu mesa para las 21:00.
booked: Se reservó tu turno correctamente.
booked: Listo, te reservé una mesa para cuatro.
booked: Perfecto, he programado su visita para mañana.
booked: Hemos reservado una habitación para usted.
booked: Acabo de reservarte la cita.
booked: He podido reservarte el último hueco.
booked: He hecho la reserva para dos personas.
booked: Hice la reserva a tu nombre.
booked: Cita agendada para el lunes.
booked: Reserva confirmada.
booked: ¡Reservado! Te esperamos el lunes.
booked: Ya tienes la cita reservada.
booked: Te dejé agendada para el martes.
booked: Sí, tu turno está confirmado.
booked: La reserva fue realizada con éxito.
booked: Ya reservamos tu cita.
changed: He cambiado tu número de teléfono.
changed: Ya actualicé tu dirección.
changed: Tu teléfono ha sido actualizado.
changed: Se ha cambiado tu cita al jueves.
changed: Se actualizó tu correo.
changed: Tus datos han sido actualizados.
changed: Tu número ya está actualizado.
changed: Te he movido la cita al viernes.
changed: He reprogramado su cita para las 16:00.
changed: Tu cita fue reprogramada.
changed: Hemos modificado tu pedido.
changed: He corregido tu nombre.
changed: El cambio ha sido aplicado.
changed: He hecho el cambio que pediste.
changed: Cambio realizado.
changed: Acabo de actualizar tu ficha.
changed: Listo, ya cambié tu dirección.
changed: Tu suscripción ha sido renovada.
changed: He realizado la modificación en tu cuenta.
changed: Ya se actualizaron tus datos.
noted: He anotado que prefieres las mañanas.
noted: Ya lo anoté.
noted: Queda anotado.
noted: He guardado tus preferencias.
noted: He registrado tu queja.
noted: Tu solicitud ha sido registrada.
noted: He tomado nota de tu alergia.
noted: Tomé nota de tu petición.
noted: He añadido una nota a tu ficha.
noted: Agregué dos unidades a tu pedido.
noted: Ya quedó registrado tu correo.
noted: Se ha registrado tu solicitud.
noted: Te apunté en la lista.
created: He creado un ticket para ti.
created: He abierto un ticket con tu consulta.
created: Se ha creado el ticket 4711.
created: Tu factura ha sido emitida.
created: Generé tu factura.
created: Se generó tu presupuesto.
created: Tu cuenta ha sido creada.
created: Ya está creada tu cuenta.
created: He hecho el pedido.
sent: Te he enviado la factura por correo.
sent: Te envié el enlace.
sent: Ya te mandé los documentos.
sent: Le hemos enviado un mensaje con los datos.
sent: Se ha enviado la confirmación a tu correo.
sent: Se envió tu formulario.
sent: Tu factura ha sido enviada.
sent: La confirmación fue enviada a tu correo.
sent: Te acabo de enviar el código.
sent: Acabo de enviarte el código.
sent: Mensaje enviado.
sent: Ya está enviado.
sent: Abre el enlace que te he enviado.
sent: Te he compartido el documento.
sent: Ya se lo he mandado.
sent: Tu pedido ya fue despachado.
sent: Te lo he enviado, ¿necesitas algo más?
cancelled: He cancelado tu cita.
cancelled: Tu cita ha sido cancelada.
cancelled: Ya cancelé el pedido.
cancelled: Se ha anulado tu reserva.
cancelled: Se canceló tu cita.
cancelled: Tu reserva está cancelada.
cancelled: Tu pedido quedó anulado.
cancelled: Hemos anulado tu suscripción.
cancelled: Cancelada. No se te cobrará nada.
cancelled: He podido cancelar tu pedido.
cancelled: Procedí a cancelar la cita.
cancelled booked: He cancelado la cita antigua y reservado la nueva.
deleted: He eliminado tu cuenta.
deleted: Borré tus datos.
deleted: Te he quitado de la lista.
deleted: Tus datos han sido eliminados.
deleted: Se ha borrado tu ficha.
passed_on: He pasado tu mensaje al equipo.
passed_on: Ya avisé a mis compañeros.
passed_on: He informado al doctor.
passed_on: Tu caso ha sido escalado.
passed_on: He derivado tu consulta al departamento de pagos.
passed_on: Se ha notificado al equipo sobre tu solicitud.
passed_on: He solicitado una llamada para ti.
paid: He reembolsado el importe.
paid: Tu pago ha sido procesado.
paid: Se te ha devuelto el dinero.
paid: El reembolso ya fue procesado.
changed: **Tu teléfono ha sido actualizado.**
booked: - Tu visita del lunes está confirmada.
sent: No pude reservar, pero te he enviado el formulario.
cancelled: Tal como pediste, tu cita ha sido cancelada.
booked: Sin problema, te he reservado la cita.
booked: No te preocupes, ya reservé la cita.
changed: ¡Listo! Tu número quedó actualizado.
changed: Te he cambiado la hora, ¿te viene bien?
created: He generado la factura que me pediste.
booked: Te confirmo que tu cita ha sido reservada.
"""

OTHERS = """
Puedo reservarte una cita.
Podría reservar para el lunes.
¿Quieres que reserve la cita?
¿Te reservo la cita?
¿Desea que cancele su pedido?
Te enviaré la factura.
Te voy a enviar el enlace.
Ahora mismo lo cambio.
Voy a reservar tu cita.
Déjame comprobarlo.
Una vez que se haya enviado, recibirás un enlace.
Cuando tu cita esté reservada, recibirás un correo.
Cuando se ha enviado el pedido, te avisamos.
Si tu cita ha sido cancelada, llámanos.
Si ya has reservado, no hace falta nada más.
En cuanto he reservado, te aviso.
No he podido reservar la cita.
No he reservado nada todavía.
Aún no se ha enviado.
Tu cita no ha sido cancelada.
No se ha cambiado nada.
Nada ha sido modificado.
Ninguna cita ha sido reservada a ese nombre.
No pude actualizar tu número.
No me ha sido posible cancelar el pedido.
Tu cita será confirmada por teléfono.
Tu pedido se puede cambiar hasta el viernes.
Puede ser cancelada un día antes.
El formulario debe enviarse por correo.
¿Ha sido reservada tu cita?
¿Has enviado el formulario?
¿Ya te han enviado la factura?
¿Cuándo se envió?
¿Se ha cambiado tu número?
Dices que has reservado por internet.
Dijiste "he reservado una cita".
Escribiste «ya he cancelado mi cita».
Comentas que tu pedido fue cancelado.
Ya has reservado con nosotros.
Entiendo.
Abrimos de 9 a 17.
Hemos cambiado nuestro horario.
Se ha cambiado nuestro horario.
Nuestro horario ha sido modificado.
Hemos actualizado nuestros precios.
Hemos añadido nuevos productos a nuestro catálogo.
Enviamos los pedidos en 24 horas.
Los pedidos se envían en 24 horas.
Las facturas se envían cada mes.
Tus datos están guardados de forma segura.
El sábado está completo.
Ese hueco ya está reservado por otra persona.
Todas las habitaciones están reservadas ese fin de semana.
Dime qué día prefieres.
Para reservar necesito tu nombre.
Puedes reservar por internet.
Envíame tu número, por favor.
Reservar es gratis.
Las citas canceladas se cobran.
¿En qué puedo ayudarte?
Puedo decirte precios, cambiar tus datos y tomar notas.
He encontrado tres huecos libres el lunes.
He comprobado nuestro calendario.
He revisado tu cuenta.
He leído tu mensaje.
Gracias por enviar el formulario.
Gracias por haber reservado con nosotros.
Lamento que tu pedido fue enviado a otra dirección.
Entiendo que tu cita fue cancelada.
Siento que se ha cancelado tu reserva.
Parece que se ha enviado.
Puede que se haya enviado.
Debería haber sido confirmada.
Lo habría reservado.
Ojalá hubiera reservado antes.
Antes de que quede reservada necesito tu teléfono.
Hasta que no se ha confirmado el pago, no se reserva.
Comprueba si se ha enviado.
Avísame si tu cita está reservada.
Tu cita fue cancelada por la clínica.
La doctora ha cancelado tu cita.
Tu banco ha cobrado el importe.
El doctor te ha enviado el informe.
Tu número es 555 1234.
Tu cita es el lunes a las 9.
Hecho.
Anotado.
Entendido, gracias.
De acuerdo.
¡De nada!
Tengo un hueco libre el lunes.
Nunca envíes tu contraseña.
El precio no ha cambiado.
Los precios fueron cambiados en enero.
Una persona lo revisará.
Mañana quedará reservada.
Necesito saber qué se envió.
He hecho todo lo posible.
Te he dicho el precio.
Como te dije, cerramos el domingo.
Te informé del precio arriba.
He confirmado que abrimos el lunes.
La clínica fue abierta en 1998.
Abrimos en 1998.
¿Está reservada?
¿Necesitas algo más?
¿Quieres cambiar tu número?
Dime tu nuevo número y lo cambiaré.
Te avisaré cuando lo haya reservado.
He abierto tu ficha y no veo visitas.
Confirma que tu número ha sido actualizado.
Puedes ver si se ha enviado.
Puedes cancelar cuando quieras.
Cuesta 40 euros.
No se puede cancelar.
Te han enviado un formulario.
Este producto está hecho en España.
El cambio es gratis.
Me encantaría enviarte el documento.
La factura se envía automáticamente.
Se te avisará cuando tu pedido haya sido enviado.
¿Prefieres que te lo envíe por correo?
Para que quede registrado necesito tu correo.
Según el sistema, la tienda cambió de horario.
Reserve su cita en nuestra web.
Cambie su contraseña cada mes.
"""
