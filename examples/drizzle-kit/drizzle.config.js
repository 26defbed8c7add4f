export default {
  dialect: 'postgresql',
  out: './drizzle',
  schema: './schema.js',
  dbCredentials: { url: process.env.DATABASE_URL },
}
