"""Sentences in the style of replies, written after the rules: claims, and others. Both languages."""

CLAIMS = """
I've gone ahead and cancelled that for you.
Your new address is saved in our system now.
We've just sent the quote over to you.
All good, your visit has now been moved to Friday at noon.
I have put in a request for a refund.
You have been added to the waiting list.
Your cleaning is now scheduled for 12 May at 10:00.
I've removed the gluten option from your order.
Okay Ana, I updated your e-mail to ana@example.com.
Your ticket number is 4711; I have opened it just now.
I've let the team know.
We've booked you a taxi for 7 am.
The payment was refunded to your card.
Thanks for waiting! Your reservation is all set for 8 pm.
I've registered you for the workshop.
Perfecto, Ana: te he agendado para el lunes 12 a las 10:00.
Tu cita ha sido movida al viernes.
He dado de alta tu cuenta.
Listo, quedó cancelado tu pedido.
Le he mandado el presupuesto a su correo.
Ya te registré en el taller.
Actualicé tu correo a ana@example.com.
Se generó un ticket con tu caso.
Hemos agregado tu nombre a la lista de espera.
Tu mesa está reservada para las 20:00.
Tu limpieza está programada para el 12 de mayo.
Acabamos de enviarle la cotización.
Ya le pasé tu mensaje a la doctora.
Confirmado: tu turno es el martes a las 9.
He quitado el gluten de tu pedido.
"""

OTHERS = """
I can move your visit to Friday if you like.
Your card is charged only after the visit.
Once you have paid, your order is shipped.
Would Friday work, or should I cancel it?
We have three dentists and have been open since 1998.
Your visit on Friday is still on.
I haven't got your phone number saved.
Do you have an appointment booked already?
Appointments are confirmed by e-mail.
I have all your details here.
Let me get that booked for you.
Thank you, I have what I need.
Sorry, that slot has been taken.
The deposit is refunded if you cancel in time.
Our team will be informed.
I'd need your date of birth before I book anything.
Puedo mover tu visita al viernes si quieres.
Solo se cobra después de la visita.
Cuando hayas pagado, se envía el pedido.
¿Te va bien el viernes o la cancelo?
Tenemos tres dentistas y estamos abiertos desde 1998.
No tengo guardado tu teléfono.
¿Ya tienes una cita reservada?
Las citas se confirman por correo.
Aquí tengo todos tus datos.
Permíteme reservarla.
Lo siento, ese hueco ya ha sido ocupado.
El depósito se devuelve si cancelas a tiempo.
Se informará a nuestro equipo.
Antes de reservar necesito tu fecha de nacimiento.
Gracias, he recibido tu mensaje.
"""
