-- wrk: requests for random items, made before the load begins so that making them costs nothing. Arguments: a path with
-- {id} for a number from 1 to the second argument, a token or "", and the JSON body of a POST or "".
local requests, at = {}, 0

function init(arguments)
   local path, most, token, body = arguments[1], tonumber(arguments[2]), arguments[3], arguments[4]
   local headers = { Host = "localhost" }
   if token ~= "" then headers["Authorization"] = "Bearer " .. token end
   if body ~= "" then headers["Content-Type"] = "application/json" end
   math.randomseed(os.time())
   for i = 1, 4096 do
      requests[i] = wrk.format(body == "" and "GET" or "POST", (path:gsub("{id}", tostring(math.random(most)))), headers,
         body ~= "" and body or nil)
   end
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local e = summary.errors
   io.write(string.format('\n{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"errors":%d}\n', summary.requests,
      summary.duration / 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
      e.connect + e.read + e.write + e.status + e.timeout))
end
