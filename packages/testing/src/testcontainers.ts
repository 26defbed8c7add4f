export { PostgreSqlContainer } from './testcontainers/postgresql-container.ts'
export {
  type ExecResult,
  StartedPostgreSqlContainer,
} from './testcontainers/started-postgresql-container.ts'
