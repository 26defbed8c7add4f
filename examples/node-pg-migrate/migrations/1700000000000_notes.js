export const up = (pgm) => {
  pgm.createTable('notes', { id: 'id', text: { type: 'text', notNull: true } })
}
