import { Pool } from 'pg'

/** One pool, also after `next dev` has loaded this module again. */
export const pool = (globalThis.notesPool ??= new Pool({
  connectionString: process.env.DATABASE_URL,
}))
