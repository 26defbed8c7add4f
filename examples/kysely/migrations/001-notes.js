export async function up(db) {
  await db.schema
    .createTable('notes')
    .addColumn('id', 'serial', (column) => column.primaryKey())
    .addColumn('text', 'text', (column) => column.notNull())
    .execute()
}
