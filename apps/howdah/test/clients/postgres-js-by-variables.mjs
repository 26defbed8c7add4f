import postgres from 'postgres'

const sql = postgres()
const [{ name }] = await sql`SELECT current_database() AS name`
await sql.end()
console.log(name)
