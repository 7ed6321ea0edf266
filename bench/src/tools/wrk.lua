-- Makes wrk send batches, and print its counts as one line of JSON.
-- The argument of the script is the number of requests per batch.

local threads = {}

function setup(thread)
   table.insert(threads, thread)
end

-- Without a function `request`, wrk builds its request once and calls Lua again only at the end.
function init(args)
   depth = tonumber(args[1])
   if depth > 1 then
      local batch = wrk.format():rep(depth)
      request = function() return batch end
   end
end

function done(summary, latency)
   -- As JSON, with all digits; without a sample a figure is null.
   local function number(value)
      return #latency > 0 and string.format("%.17g", value) or "null"
   end
   local percentiles = {}
   for _, percent in ipairs({50, 75, 90, 95, 99}) do
      table.insert(percentiles, string.format('"%d":%s', percent, number(latency:percentile(percent))))
   end
   local errors = summary.errors
   print(string.format(
      '{"depth":%d,"duration_us":%d,"requests":%d,"bytes":%d,' ..
      '"errors":{"connect":%d,"read":%d,"write":%d,"status":%d,"timeout":%d},' ..
      '"latency_us":{"mean":%s,"max":%s,"percentiles":{%s}}}',
      threads[1]:get("depth"), summary.duration, summary.requests, summary.bytes,
      errors.connect, errors.read, errors.write, errors.status, errors.timeout,
      number(latency.mean), number(latency.max), table.concat(percentiles, ",")
   ))
end
