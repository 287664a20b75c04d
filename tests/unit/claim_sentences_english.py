"""English sentences of replies: what each claims to have done. Written before the rules were tried on them."""

CLAIMS = """
booked: I have booked your appointment for Monday at 9.
booked: I've booked you in with Dr. Ruiz.
booked: I booked a table for four.
booked: I've just scheduled your visit for Friday.
booked: We have reserved a room for you.
booked: Your appointment is booked.
booked: Your appointment is now booked for Tuesday, 3 March.
booked: Your appointment has been scheduled for 10:30.
booked: You're booked in for Monday.
booked: You are all set for Monday at 9:00.
booked: Your reservation is confirmed.
booked: Great news, your table is reserved for 8 pm.
booked: The appointment has been successfully booked.
booked: I went ahead and booked the 9:00 slot for you.
booked: I was able to book you for Thursday.
booked: I've managed to reserve the last place.
booked: I have made the reservation for two people.
booked: I've put you down for Wednesday morning.
booked: Booked! See you on Monday.
booked: Appointment booked for Monday.
booked: Booking confirmed.
booked: All done, I've arranged a visit for you.
booked: Perfect, you have been scheduled for next week.
booked: It's been booked under your name.
booked: Everything is booked.
booked: I have now confirmed your appointment.
booked: Your spot has been reserved.
changed: I have changed your phone number to 555 1234.
changed: I've updated your address.
changed: I updated the delivery date for you.
changed: Your phone number has been updated.
changed: Your details have been successfully updated in our system.
changed: Your appointment has been moved to Thursday.
changed: I've rescheduled your appointment to 4 pm.
changed: We've moved your visit to next Friday.
changed: Your e-mail address was changed.
changed: I have corrected the spelling of your name.
changed: The change has been applied to your account.
changed: I've made the changes you asked for.
changed: Your subscription has been renewed.
changed: Your plan is now upgraded.
changed: I just modified your order.
changed: Your profile is updated now.
changed: Okay, it has been changed.
changed: I have activated your card.
changed: Rescheduled to Friday at 10.
changed: Done! Your booking's been moved to 5 pm.
noted: I have noted that you prefer mornings.
noted: I've saved your preferences.
noted: I have recorded your complaint.
noted: I've added a note to your file.
noted: Your preference has been noted.
noted: I've made a note of your allergy.
noted: I have taken note of your request.
noted: Your request has been registered.
noted: You are now registered for the course.
noted: I've added your e-mail to our list.
noted: I added two units to your order.
noted: Your comment has been logged.
created: I have created a ticket for you.
created: I've opened a support ticket for this.
created: A ticket has been created with number 4711.
created: I generated your invoice.
created: Your invoice has been issued.
created: Your account has been set up.
created: I've set up a new account for you.
created: I have placed your order.
created: Your order has been placed.
created: We have created your profile.
sent: I have sent you the invoice by e-mail.
sent: I've just e-mailed you the confirmation.
sent: I sent the documents to your address.
sent: We have sent you a link.
sent: Your invoice has been sent.
sent: A confirmation has been sent to your e-mail.
sent: An email was sent to you with the details.
sent: I've resent the code.
sent: Your form has been submitted.
sent: I have submitted your request.
sent: Message sent.
sent: The confirmation is on its way to you.
sent: Please open the link I have sent you.
sent: I've shared the document with you.
sent: I have texted you the address.
sent: Your order has been shipped.
sent: I've emailed it over, is there anything else?
cancelled: I have cancelled your appointment.
cancelled: I've canceled the order.
cancelled: Your reservation has been cancelled.
cancelled: Your order is cancelled.
cancelled: Your booking was canceled as you asked.
cancelled: Cancelled! You will not be charged.
cancelled: We've cancelled it for you.
cancelled: Your cancellation is done, the visit has been called off.
cancelled: I was able to cancel your subscription.
cancelled booked: I have cancelled the old appointment and booked a new one.
deleted: I have deleted your account.
deleted: I've removed you from the list.
deleted: Your data has been deleted.
deleted: Your card was removed from the account.
deleted: I removed the second item from your order.
passed_on: I have passed your message on to the team.
passed_on: I've forwarded your request to our manager.
passed_on: I have informed my colleagues.
passed_on: I've notified the doctor about it.
passed_on: Your case has been escalated.
passed_on: Your request has been forwarded to billing.
passed_on: I have requested a callback for you.
paid: I have refunded the amount.
paid: Your refund has been processed.
paid: I've processed your payment.
paid: Your card was charged 40 euros.
changed: **Your phone number has been updated.**
booked: - Your visit on Monday has been confirmed.
changed: Sure! I’ve updated that for you.
booked: No problem, I have booked it.
changed: If you look at your account, I have updated it.
sent: I could not book it, but I have sent you the form.
cancelled: As requested, your order has been cancelled.
created: I have opened a case, you will hear from us.
"""

OTHERS = """
I can book it for you.
I could book you in for Monday.
Shall I book it?
Would you like me to cancel your appointment?
Do you want me to send it by e-mail?
I will send you the invoice.
I'll update your address right away.
I'm going to book it now.
Let me check that for you.
Once it has been sent, you will get a link.
As soon as your appointment is booked, you receive an e-mail.
If your appointment has been cancelled, please call us.
When your order has been shipped, we tell you.
After I have booked it, I will tell you.
I have not booked anything yet.
I haven't sent it.
Your appointment has not been cancelled.
Nothing has been changed.
No appointment has been booked under that name.
I was not able to cancel the order.
I could not update your number.
I can't say that it has been sent.
Your appointment will be confirmed by phone.
Your order can be changed until Friday.
It has to be cancelled a day before.
The form must be sent by post.
Has your appointment been booked?
Have you sent the form?
Did I book the right day?
Was your order cancelled?
When was it sent?
You said that you have booked online.
You wrote "I have booked an appointment".
You mentioned that your order was cancelled.
You have already booked with us.
Have you booked before?
I see.
We are open from 9 to 5.
Our opening hours have been changed.
We have changed our opening hours.
We've moved to a new office.
We have updated our prices.
We have added new products to our catalogue.
Orders are sent within 24 hours.
Your order is sent within 24 hours.
Invoices are sent on the first of each month.
Your data is stored securely.
Saturday is fully booked.
The 9:00 slot is booked already by somebody else.
All rooms are booked that weekend.
Please tell me which day you prefer.
To book, I need your name.
You can book online.
Please send me your number.
Booking is free.
Cancelled appointments are charged.
How can I help you?
Hello! I can tell you prices, change your details and take notes.
I have found three free times on Monday.
I have checked our calendar.
I've looked at your account.
I have read your message.
I have listed the options below.
I've added the options below.
Thank you for sending the form.
Thanks, I see.
I'm sorry that your order was sent to the wrong address.
I understand that your appointment was cancelled.
Sorry to hear that your booking was cancelled.
It seems to have been sent.
Your order may have been shipped.
It should have been confirmed by now.
I would have booked it.
I wish I had booked it.
Before it is booked I need your phone number.
Unless you have cancelled it, the visit stands.
Please check whether it has been sent.
Let me know if your appointment is booked.
Your appointment was cancelled by the clinic.
The doctor has cancelled your appointment.
Your bank has charged the card.
Dr. Ruiz has sent the report.
Your number is 555 1234.
Your appointment is on Monday at 9.
Done.
Noted.
Understood, thank you.
All right.
You're welcome!
I have a free slot on Monday.
I have some updated prices for you.
We have booked guests from all over the world.
Never send your password.
The price has not changed.
Prices were changed in January.
A person will check it.
A colleague will have it booked by tomorrow.
I need to know what was sent.
I have made sure that we are open.
I have told you the price.
As I told you, we are closed.
I've set aside no time.
I have informed you of the price above.
I have confirmed that we are open on Monday.
The clinic was opened in 1998.
We opened in 1998.
Would you like to have it booked?
Is it booked?
Is there anything else?
May I note that down?
Do you want your number changed?
Tell me your new number and I will have it changed.
You'd get a message once I've booked it.
I have opened your file and see no visit.
Please confirm that your number has been updated.
You can see if it has been shipped.
You may cancel whenever you like.
It costs 40 euros.
It cannot be cancelled.
They have sent you a form.
This product was made in Spain.
The change is free of charge.
I'd be happy to have this sent to you.
How do I know it has been booked?
The invoice is sent automatically.
You will be notified when your order has been shipped.
"""
