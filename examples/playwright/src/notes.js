/** Notes, kept in PostgreSQL. */
export class Notes {
  #pool

  constructor(pool) {
    this.#pool = pool
  }

  async add(text) {
    const { rows } = await this.#pool.query('INSERT INTO notes (text) VALUES ($1) RETURNING id', [
      text,
    ])
    return rows[0].id
  }

  async list() {
    const { rows } = await this.#pool.query('SELECT id, text FROM notes ORDER BY id')
    return rows
  }
}
