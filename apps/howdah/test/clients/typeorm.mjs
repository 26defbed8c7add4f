import { DataSource, EntitySchema } from 'typeorm'

const Elephant = new EntitySchema({
  name: 'Elephant',
  columns: { id: { type: 'int', primary: true, generated: true }, name: { type: 'text' } },
})
const source = new DataSource({
  type: 'postgres',
  url: process.env.DATABASE_URL,
  entities: [Elephant],
  synchronize: true,
})
await source.initialize()
await source.getRepository(Elephant).save({ name: 'Surus' })
const [{ name }] = await source.query('SELECT current_database() AS name')
await source.destroy()
console.log(name)
