import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'

const db = drizzle(postgres())
const [{ name }] = await db.execute(sql`SELECT current_database() AS name`)
await db.$client.end()
console.log(name)
