import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'

const db = drizzle(process.env.DATABASE_URL)
const { rows } = await db.execute(sql`SELECT current_database() AS name`)
await db.$client.end()
console.log(rows[0].name)
