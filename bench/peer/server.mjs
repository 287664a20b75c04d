// A FeathersJS 5 server as its CLI generates one (koa, knex, PostgreSQL, TypeBox schemas, resolvers), over the table
// `contacts` of a Frontdesk database. It checks an API key like Frontdesk does: hashed, remembered for two seconds.
// It does less besides: no row-level security, no roles, no tenant filter, no soft delete, no field formats.
//   PG_URL, PORT
import { createHash } from 'node:crypto'
import { NotAuthenticated } from '@feathersjs/errors'
import { feathers } from '@feathersjs/feathers'
import { KnexService } from '@feathersjs/knex'
import { bodyParser, errorHandler, koa, rest } from '@feathersjs/koa'
import { Ajv, hooks as schemaHooks, resolve } from '@feathersjs/schema'
import { getValidator, querySyntax, Type } from '@feathersjs/typebox'
import knex from 'knex'
import pg from 'pg'
import connectionString from 'pg-connection-string'

pg.types.setTypeParser(pg.types.builtins.INT8, Number)
const db = knex({ client: 'pg', connection: connectionString.parse(process.env.PG_URL), pool: { min: 2, max: 10 } })

const orNull = (type) => Type.Union([type, Type.Null()])
const moment = Type.Any() // a Date from the driver; only bodies and queries are validated
const contactSchema = Type.Object(
  {
    id: Type.Number(),
    organization_id: Type.Number(),
    first_name: orNull(Type.String({ maxLength: 120 })),
    last_name: orNull(Type.String({ maxLength: 120 })),
    email: orNull(Type.String({ maxLength: 254 })),
    phone: orNull(Type.String({ maxLength: 40 })),
    phone_country_code: orNull(Type.String({ maxLength: 5 })),
    phone_country_iso: orNull(Type.String({ maxLength: 2 })),
    company_id: orNull(Type.Number()),
    owned_by_user_id: orNull(Type.Number()),
    channel_whatsapp_wa_id: orNull(Type.String({ maxLength: 64 })),
    channel_instagram_user_id: orNull(Type.String({ maxLength: 64 })),
    system_type: Type.String(),
    avatar_url: orNull(Type.String({ maxLength: 2000 })),
    created_by_user_id: orNull(Type.Number()),
    created_by_ai_assistant_id: orNull(Type.Number()),
    created_at: moment,
    updated_at: moment,
    deleted_at: moment,
    version: Type.Number(),
    created_in_conversation_id: orNull(Type.Number())
  },
  { $id: 'Contact', additionalProperties: false }
)
const written = [
  'first_name', 'last_name', 'email', 'phone', 'phone_country_code', 'phone_country_iso', 'company_id',
  'owned_by_user_id', 'avatar_url'
]
const dataSchema = Type.Partial(Type.Pick(contactSchema, written), { $id: 'ContactData', additionalProperties: false })
const querySchema = Type.Intersect(
  [
    querySyntax(Type.Pick(contactSchema, ['id', ...written, 'created_at', 'updated_at', 'version'])),
    Type.Object({}, { additionalProperties: false })
  ],
  { additionalProperties: false }
)
const dataValidator = getValidator(dataSchema, new Ajv({}))
const queryValidator = getValidator(querySchema, new Ajv({ coerceTypes: true }))
const contactResolver = resolve({})
const contactExternalResolver = resolve({})
const contactQueryResolver = resolve({})
const contactDataResolver = resolve({
  organization_id: async (_, __, context) => context.params.user.organization_id,
  created_by_user_id: async (_, __, context) => context.params.user.user_id,
  system_type: async () => 'contact',
  created_at: async () => new Date(),
  updated_at: async () => new Date()
})

const kept = new Map()
const identify = async (key) => {
  const known = kept.get(key)
  if (known && known.until > Date.now()) return known.user
  const hash = createHash('sha256').update(key).digest('hex')
  const user = await db('api_keys').where({ key_hash: hash, deleted_at: null }).first('organization_id', 'user_id')
  if (!user) throw new NotAuthenticated('Invalid API key')
  kept.set(key, { user, until: Date.now() + 2000 })
  return user
}
const requireKey = async (context, next) => {
  if (context.params.provider) {
    if (!context.params.apiKey) throw new NotAuthenticated('No API key')
    context.params.user = await identify(context.params.apiKey)
  }
  await next()
}

const app = koa(feathers())
app.use(errorHandler())
app.use(bodyParser())
app.use(async (ctx, next) => {
  ctx.feathers = { ...ctx.feathers, apiKey: ctx.get('x-api-key') }
  await next()
})
app.configure(rest())
// The view has the table's columns but the one that only the search index reads.
app.use('contacts', new KnexService({ id: 'id', Model: db, name: 'peer_contacts', paginate: { default: 10, max: 50 } }))
app.service('contacts').hooks({
  around: {
    all: [requireKey, schemaHooks.resolveExternal(contactExternalResolver), schemaHooks.resolveResult(contactResolver)]
  },
  before: {
    all: [schemaHooks.validateQuery(queryValidator), schemaHooks.resolveQuery(contactQueryResolver)],
    create: [schemaHooks.validateData(dataValidator), schemaHooks.resolveData(contactDataResolver)]
  }
})
await app.listen(Number(process.env.PORT), '127.0.0.1')
