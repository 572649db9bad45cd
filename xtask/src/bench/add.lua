-- POST /add with a fresh body of 500 bytes each. The first eight bytes differ from run to run, the next eight count.
local counter = 0
local stem
local pad = string.rep("x", 484)

function init(arguments)
  math.randomseed(os.time())
  stem = string.format("%08x", math.random(0, 0x7fffffff))
end

function request()
  counter = counter + 1
  return wrk.format("POST", "/add", nil, stem .. string.format("%08x", counter) .. pad)
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '{"per_s": %.0f, "p50_ms": %.3f, "p90_ms": %.3f, "p99_ms": %.3f, "max_ms": %.3f, "requests": %d, "errors": %d}\n',
    summary.requests / summary.duration * 1e6,
    latency:percentile(50) / 1000, latency:percentile(90) / 1000, latency:percentile(99) / 1000, latency.max / 1000,
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
