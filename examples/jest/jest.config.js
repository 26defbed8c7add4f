module.exports = {
  testEnvironment: '@howdah/testing/jest',
  testEnvironmentOptions: { migrate: 'migrations/*.sql' },
}
