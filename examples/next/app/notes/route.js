import { pool } from '../../lib/database.js'

/** Adds a note. */
export async function POST(request) {
  const { text } = await request.json()
  const insert = 'INSERT INTO notes (text) VALUES ($1) RETURNING id, text'
  const { rows } = await pool.query(insert, [text])
  return Response.json(rows[0], { status: 201 })
}
