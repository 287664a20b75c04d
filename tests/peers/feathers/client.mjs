// A program as a developer writes it with the official packages: log in, find, get, create, patch, remove, log out.
import assert from 'node:assert/strict'
import { feathers } from '@feathersjs/feathers'
import auth from '@feathersjs/authentication-client'
import rest from '@feathersjs/rest-client'

const { BASE_URL, EMAIL, PASSWORD } = process.env
const app = feathers()
app.configure((rest.default || rest)(BASE_URL).fetch(fetch))
app.configure((auth.default || auth)())

const login = await app.authenticate({ strategy: 'local', email: EMAIL, password: PASSWORD })
assert.equal(login.user.email, EMAIL)

const contact = await app.service('contacts').create({ first_name: 'Feather', last_name: 'Client' })
const bodies = {
  contacts: { first_name: 'Feather' },
  notes: { text: 'light', contact_id: contact.id },
  products: { name: 'Feather', price: 9.5 },
  'inbox-channels': { channel: 'webchat', name: 'Feather' },
  'api-keys': { name: 'Feather' },
}
for (const [path, body] of Object.entries(bodies)) {
  const service = app.service(path)
  const made = await service.create(body)
  assert.ok(made.id, path)
  const [name, value] = Object.entries(body).find(([, v]) => typeof v === 'string' && v !== 'webchat')
  const found = await service.find({ query: { id: { $in: [made.id] }, $sort: { id: -1 }, $limit: 5 } })
  assert.deepEqual([found.total, found.limit, found.data[0].id], [1, 5, made.id], path)
  assert.equal((await service.get(made.id))[name], value, path)
  assert.equal((await service.patch(made.id, { [name]: 'Changed' }))[name], 'Changed', path)
  assert.ok((await service.remove(made.id)).deleted_at, path)
  await assert.rejects(service.get(made.id), { name: 'NotFound', code: 404 })
}
await assert.rejects(app.service('contacts').find({ query: { nope: 1 } }), { name: 'BadRequest', className: 'bad-request' })
await app.logout()
await assert.rejects(app.service('contacts').find(), { name: 'NotAuthenticated', code: 401 })
console.log('client: ok')
