import { Client } from 'pg'

const port = Number(process.argv[2])
const login = { user: 'postgres', password: 'postgres', host: 'localhost', port, database: 'app' }
const client = new Client(login)
await client.connect()
const { rows } = await client.query(
  `SELECT current_user AS role, oid = 10 AS bootstrap, current_database() AS database
     FROM pg_roles WHERE rolname = current_user`,
)
await client.end()
console.log(JSON.stringify({ ...rows[0], url: process.env.DATABASE_URL }))
