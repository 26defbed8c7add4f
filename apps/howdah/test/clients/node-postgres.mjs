import pg from 'pg'

const client = new pg.Client(process.env.DATABASE_URL)
await client.connect()
const { rows } = await client.query('SELECT current_database() AS name')
await client.end()
console.log(rows[0].name)
