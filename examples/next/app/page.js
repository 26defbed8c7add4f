import { pool } from '../lib/database.js'

// Read at each request, and not when the application is built.
export const dynamic = 'force-dynamic'

export default async function Page() {
  const { rows } = await pool.query('SELECT id, text FROM notes ORDER BY id')
  return (
    <ul>
      {rows.map(({ id, text }) => (
        <li key={id}>{text}</li>
      ))}
    </ul>
  )
}
