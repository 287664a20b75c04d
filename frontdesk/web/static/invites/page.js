// The page of an invitation. The token is behind the # of the address, which no server sees; it travels in bodies only.
const WORDS = {
  en: {
    title: (place) => `Join ${place}`,
    about: (role) => `You are invited to work there as ${{ member: 'a member', admin: 'an admin', owner: 'an owner' }[role]}.`,
    email: 'Your login', first_name: 'First name', last_name: 'Last name', password: 'Password', accept: 'Accept the invitation',
    fresh: 'Choose one of at least 10 characters.', known: 'You have a login already: enter its password.',
    done: (place) => `Welcome to ${place}`, after: (email) => `You are a member now. Log in with ${email}.`,
    gone: 'This invitation does not work', missing: 'The link is not complete. Open it again from the e-mail, or ask for a new one.',
    accepted: 'It was accepted already. Log in with your address and password.',
    expired: 'Its 24 hours are over. Ask for a new one.', revoked: 'It was withdrawn. Ask for a new one.',
    wrong: 'That is not the password of this login.', first: 'Enter your first name.', offline: 'There is no connection. Try again.',
  },
  es: {
    title: (place) => `Únete a ${place}`,
    about: (role) => `Te invitan a trabajar allí como ${{ member: 'miembro', admin: 'administrador', owner: 'propietario' }[role]}.`,
    email: 'Tu acceso', first_name: 'Nombre', last_name: 'Apellidos', password: 'Contraseña', accept: 'Aceptar la invitación',
    fresh: 'Elige una de al menos 10 caracteres.', known: 'Ya tienes un acceso: escribe su contraseña.',
    done: (place) => `Te damos la bienvenida a ${place}`, after: (email) => `Ya formas parte. Entra con ${email}.`,
    gone: 'Esta invitación no funciona', missing: 'El enlace no está completo. Ábrelo de nuevo desde el correo o pide otro.',
    accepted: 'Ya fue aceptada. Entra con tu correo y tu contraseña.',
    expired: 'Sus 24 horas han pasado. Pide otra.', revoked: 'Fue retirada. Pide otra.',
    wrong: 'Esa no es la contraseña de este acceso.', first: 'Escribe tu nombre.', offline: 'No hay conexión. Inténtalo de nuevo.',
  },
}
const language = navigator.languages.map((tag) => tag.slice(0, 2)).find((tag) => tag in WORDS) ?? 'en'
const words = WORDS[language]
const token = location.hash.slice(1)
const main = document.querySelector('main')
const form = document.querySelector('form')
const at = (id) => document.getElementById(id)

async function post(path, body) {
  const answer = await fetch(path, {
    method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body), referrerPolicy: 'no-referrer',
  })
  const said = await answer.json()
  if (!answer.ok) throw Object.assign(new Error(said.message), { status: answer.status, said })
  return said
}

function say(title, about) {
  document.title = title
  at('title').textContent = title
  at('about').textContent = about
  form.hidden = true
  main.setAttribute('aria-busy', 'false')
}

function fail(error) {
  if (!('status' in error)) return warn(words.offline)
  say(words.gone, words[error.said.data?.status] ?? (error.status === 404 ? words.missing : error.message))
}

function warn(text) {
  at('alert').textContent = text
  at('alert').hidden = !text
}

function fault(name, text) {
  at(`${name}-fault`).textContent = text ?? ''
  at(name).setAttribute('aria-invalid', String(Boolean(text)))
}

function show(invite) {
  say(words.title(invite.organization.name), words.about(invite.role))
  document.querySelector('.mark').textContent = [...invite.organization.name][0]?.toUpperCase() ?? ''
  at('email').textContent = invite.email
  at('password').autocomplete = invite.has_login ? 'current-password' : 'new-password'
  at('password-about').textContent = invite.has_login ? words.known : words.fresh
  document.querySelector('[data-new]').hidden = invite.has_login
  form.hidden = false
  form.addEventListener('submit', (event) => { event.preventDefault(); accept(invite) })
}

async function accept(invite) {
  warn('')
  const names = invite.has_login ? ['password'] : ['first_name', 'last_name', 'password']
  for (const name of names) fault(name)
  const body = { token }
  for (const name of names) if (at(name).value) body[name] = at(name).value
  const button = form.querySelector('button')
  button.disabled = true
  try {
    const done = await post('/organizations-users-invites-accept', body)
    main.className = 'done'
    say(words.done(done.organization.name), words.after(done.email))
  } catch (error) {
    if (error.status === 401) fault('password', words.wrong)
    else if (error.status === 400) {
      const faults = error.said.errors ?? {}
      if (faults.first_name) fault('first_name', words.first)
      if (faults.last_name) fault('last_name', faults.last_name)
      if (faults.password) fault('password', invite.has_login ? words.wrong : words.fresh)
    } else if (error.status === 409 || error.status === 404) fail(error)
    else warn(error.status ? error.message : words.offline)
    form.querySelector('[aria-invalid="true"]')?.focus()
  } finally {
    button.disabled = false
  }
}

document.documentElement.lang = language
for (const element of document.querySelectorAll('[data-word]')) element.textContent = words[element.dataset.word]
if (token) post('/organizations-users-invites-lookup', { token }).then(show, fail)
else say(words.gone, words.missing)
// Another link pasted into the same tab changes only what is behind the #.
addEventListener('hashchange', () => location.reload())
