const en = {
  assistant: "AI assistant",
  log: "Conversation",
  compose: "Your message",
  placeholder: "Write a message…",
  send: "Send message",
  close: "Close chat",
  you: "You",
  hello: (name: string) => `Hi, I'm ${name}`,
  helloAnonymous: "Hi there",
  hint: "How can I help you today?",
  sending: "Sending…",
  waiting: "Waiting for connection",
  notSent: "Not sent",
  retry: "Try again",
  discard: "Delete",
  typing: (name: string) => `${name} is typing`,
  offline: "You're offline. Your messages will be sent when you're back.",
  reconnecting: "Reconnecting…",
  unavailable: "This chat isn't available right now.",
  newMessages: (count: number) => (count === 1 ? "1 new message" : `${count} new messages`),
  toNewest: "Go to the newest message",
  older: "Loading earlier messages…",
  smallModel: "Answered by a small built-in model: good for trying things out, and sometimes wrong.",
  tooLong: (limit: number) => `Messages can have up to ${limit} characters.`,
  picture: "Picture",
  today: "Today",
  yesterday: "Yesterday",
};

export type Texts = typeof en;

const es: Texts = {
  assistant: "Asistente de IA",
  log: "Conversación",
  compose: "Tu mensaje",
  placeholder: "Escribe un mensaje…",
  send: "Enviar mensaje",
  close: "Cerrar el chat",
  you: "Tú",
  hello: (name) => `Hola, soy ${name}`,
  helloAnonymous: "¡Hola!",
  hint: "¿En qué puedo ayudarte hoy?",
  sending: "Enviando…",
  waiting: "Esperando conexión",
  notSent: "No enviado",
  retry: "Reintentar",
  discard: "Eliminar",
  typing: (name) => `${name} está escribiendo`,
  offline: "Sin conexión. Tus mensajes se enviarán cuando vuelva.",
  reconnecting: "Reconectando…",
  unavailable: "Este chat no está disponible en este momento.",
  newMessages: (count) => (count === 1 ? "1 mensaje nuevo" : `${count} mensajes nuevos`),
  toNewest: "Ir al mensaje más reciente",
  older: "Cargando mensajes anteriores…",
  smallModel: "Responde un modelo pequeño integrado: sirve para probar y a veces se equivoca.",
  tooLong: (limit) => `Un mensaje puede tener hasta ${limit} caracteres.`,
  picture: "Imagen",
  today: "Hoy",
  yesterday: "Ayer",
};

/** The first of the visitor's languages that we have; English otherwise. */
export function chooseLanguage(wanted: readonly string[]): { language: "en" | "es"; texts: Texts } {
  for (const tag of wanted) {
    const language = tag.toLowerCase().split("-")[0];
    if (language === "es") return { language, texts: es };
    if (language === "en") return { language, texts: en };
  }
  return { language: "en", texts: en };
}
