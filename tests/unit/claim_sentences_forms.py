"""Passives, futures and questions, written after the rules: claims, and others. Both languages."""

CLAIMS = """
Your appointment has been successfully booked for Monday at 10.
Your table for two was reserved under the name Ortega.
A ticket has been opened for your complaint.
The invoice was e-mailed to you a minute ago.
I've just cancelled Friday's visit, would you like another day?
Great news: your order was placed and will arrive on Tuesday.
Your details were updated, and a confirmation e-mail has been sent.
I went ahead and moved your booking to 5 pm.
You're booked in for Thursday at 9.
You are all booked for Thursday at 9.
You're confirmed for Thursday at 9.
Your refund has been issued.
I've flagged this to our billing team.
I have submitted your request to the manager.
Your phone number is now 555 0009 in our records.
Done! I've scheduled your cleaning.
It's booked.
That's been cancelled for you.
I set up your account this morning.
A reminder has been set for Friday.
I've made the change you asked for.
We have received and registered your complaint under number 77.
Consider it booked.
I've taken care of the cancellation.
The appointment is cancelled now, and you will not be charged.
Your reservation got cancelled as requested.
Tu cita ha sido reservada con éxito para el lunes a las 10.
Su mesa fue reservada a nombre de Ortega.
Se ha abierto un ticket por tu reclamación.
La factura se te envió por correo hace un minuto.
He cancelado la visita del viernes, ¿quieres otro día?
Tus datos fueron actualizados y se ha enviado un correo de confirmación.
Ya está: te he cambiado la cita a las cinco.
Quedas apuntado para el jueves a las 9.
Ya tienes la cita confirmada para el jueves a las 9.
Tu reembolso ha sido emitido.
Ya le he pasado el aviso a facturación.
He tramitado tu solicitud con la encargada.
Hecho, cita cancelada.
Ya quedó todo agendado.
Se te ha dado de baja del boletín.
Te acabo de mandar el enlace.
Le hemos reprogramado la cita para el martes.
Tu pedido ya fue cancelado.
Ya hice el cambio que pediste.
La cita queda anulada.
Te dejé anotado en la lista de espera.
Su cita ha quedado registrada.
"""

OTHERS = """
Your appointment is on Monday at 10.
Your appointment with Dr. Ruiz is on Monday at 10:00.
I can book Monday at 10 for you.
I can book you in for Monday; shall I?
Shall I book it for you?
Has your order been shipped already?
Was your table reserved under another name?
I will send you the invoice tomorrow.
I'll have it booked by tomorrow.
Your order will be shipped on Tuesday.
Your booking will be confirmed by e-mail once you pay.
It is going to be cancelled if you do not pay by Friday.
I am going to cancel it now, is that right?
I'm about to book it; please confirm.
To have your appointment cancelled, call us before noon.
Appointments must be cancelled 24 hours ahead.
Appointments can be changed online.
Do you want me to have it moved to Friday?
Which appointment should be cancelled?
If it was booked online, you got an e-mail.
I have not booked anything yet.
Nothing has been booked so far.
Your appointment hasn't been changed.
I could not cancel your order.
You asked whether your order was cancelled.
You wrote that your booking was cancelled; which one do you mean?
I found two appointments: one on Monday and one on Friday.
I have checked: Monday at 10 is free.
I have found your order.
I have looked at your file.
I've read your message.
Our menu has been updated for the summer.
The clinic was opened in 1998.
We have added a new dentist to our team.
Your visit lasts 30 minutes and costs 50 euros.
The table by the window is reserved for groups.
That day is fully booked.
Friday is booked out, I'm afraid.
All rooms are booked that night.
Tu cita es el lunes a las 10.
Tienes una cita el lunes a las 10.
Tu próxima cita es el lunes con la doctora Ruiz.
Puedo reservarte el lunes a las 10.
¿Te reservo el lunes a las 10?
¿Ya se ha enviado tu pedido?
¿Fue reservada a otro nombre?
Mañana te enviaré la factura.
Tu pedido se enviará el martes.
Tu cita será confirmada por correo cuando pagues.
Será cancelada si no se paga antes del viernes.
Voy a cancelarla ahora, ¿de acuerdo?
Las citas se pueden cambiar por internet.
Las citas deben cancelarse con 24 horas.
¿Quieres que la cambie al viernes?
¿Cuál de las citas debe ser cancelada?
Si la reservaste por internet, recibiste un correo.
Aún no he reservado nada.
No se ha reservado nada todavía.
Tu cita no ha sido cambiada.
No pude cancelar tu pedido.
He encontrado dos citas: una el lunes y otra el viernes.
He comprobado que el lunes a las 10 hay hueco.
He leído tu mensaje.
Nuestra carta se ha actualizado para el verano.
La clínica fue abierta en 1998.
Hemos añadido una dentista a nuestro equipo.
Ese día está completo.
Todas las habitaciones están reservadas esa noche.
El viernes ya no queda nada, lo siento.
La mesa junto a la ventana está reservada para grupos.
La consulta dura 30 minutos y cuesta 50 euros.
"""
