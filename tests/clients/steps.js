// What the programs share: steps with a line each, and an end that does not hang.

const port = Number(process.argv[2])

exports.connection = { host: '127.0.0.1', port, maxRetriesPerRequest: null }

exports.step = (name, value) => console.log(`${name}: ${JSON.stringify(value)}`)

// Resolves when a condition holds; asks often, for ten seconds at most.
exports.until = async (name, holds) => {
  const end = Date.now() + 10000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`${name} does not come`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

exports.run = async flow => {
  try {
    await flow()
    process.exit(0)
  } catch (error) {
    console.log(`failed: ${error.stack}`)
    process.exit(1)
  }
}
