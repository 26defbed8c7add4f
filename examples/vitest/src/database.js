import { Pool } from 'pg'

/** The application's own pool, made when this is imported. */
export const pool = new Pool({ connectionString: process.env.DATABASE_URL })
