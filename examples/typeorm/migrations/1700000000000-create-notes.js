export class CreateNotes1700000000000 {
  async up(runner) {
    await runner.query('CREATE TABLE notes (id serial PRIMARY KEY, text text NOT NULL)')
  }

  async down(runner) {
    await runner.query('DROP TABLE notes')
  }
}
