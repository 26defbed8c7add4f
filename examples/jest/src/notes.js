const { Pool } = require('pg')

const pool = new Pool({ connectionString: process.env.DATABASE_URL })

exports.add = async (text) => {
  const { rows } = await pool.query('INSERT INTO notes (text) VALUES ($1) RETURNING id', [text])
  return rows[0].id
}

exports.close = async () => await pool.end()
