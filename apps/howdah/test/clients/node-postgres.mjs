import { Client } from 'pg'

const client = new Client(process.env.DATABASE_URL)
await client.connect()
const { rows } = await client.query('SELECT current_database() AS name')
await client.end()
console.log(rows[0].name)
