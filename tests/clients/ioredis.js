// ioredis: commands of its own (defineCommand), in pipelines, transactions and after a flush.
const Redis = require('ioredis')
const { connection, step, run } = require('./steps')

run(async () => {
  const redis = new Redis({ ...connection, scripts: { double: { numberOfKeys: 1, lua: "return redis.call('GET', KEYS[1]) * 2", readOnly: true } } })
  await redis.flushall()
  redis.defineCommand('move', {
    numberOfKeys: 2,
    lua: `local v = redis.call('GETDEL', KEYS[1])
          if not v then return redis.error_reply('NOTHING there') end
          redis.call('SET', KEYS[2], v .. ARGV[1])
          return {KEYS[1], KEYS[2], v, #ARGV, true, false, 1.9}`
  })
  redis.defineCommand('count', { lua: 'return #KEYS .. ":" .. #ARGV' })
  step('set', await redis.set('a', 21))
  step('double', await redis.double('a'))
  step('move', await redis.move('a', 'b', '!'))
  step('error', await redis.move('a', 'b', '!').catch(error => error.message.replace(/script: .*/, '')))
  step('count', await redis.count(2, 'x', 'y', 'z'))
  step('buffer', (await redis.countBuffer(0)).toString('hex'))
  step('pipeline', await redis.pipeline().set('c', 4).double('c').count(1, 'q').exec())
  await redis.script('FLUSH')
  step('after flush', await redis.double('c'))
  await redis.script('FLUSH')
  step('pipeline after flush', await redis.pipeline().double('c').incr('c').double('c').exec())
  step('multi', await redis.multi().set('d', 1).count(0, 'k').exec())
  step('exists', (await redis.script('EXISTS', 'e0e1f9fabfc9d4800c877a703b823ac0578ff8db')))
  const bad = await redis.eval('return redis.call("lpush", KEYS[1], 1)', 1, 'c').catch(error => error.message)
  step('bad', bad)
  redis.disconnect()
})
