export default { testDir: 'test', workers: 2, fullyParallel: true, reporter: 'line' }
