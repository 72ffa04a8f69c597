-- Sends the requests of a file in turn, each a line: method, path and body with tabs between them.
-- The order ensures that no two open requests change the same row. Prints the results as JSON.

local requests, at = {}, 0

function init(arguments)
  local bare, headers = {}, { ["Content-Type"] = "application/json" }
  if arguments[2] then
    bare["Authorization"] = "Bearer " .. arguments[2]
    headers["Authorization"] = bare["Authorization"]
  end
  for line in io.lines(arguments[1]) do
    local method, path, body = line:match("^(.-)\t(.-)\t(.*)$")
    local with_body = body ~= ""
    requests[#requests + 1] =
      wrk.format(method, path, with_body and headers or bare, with_body and body or nil)
  end
end

function request()
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.stderr:write(string.format(
    '{"answers": %d, "seconds": %.6f, "p50": %.3f, "p99": %.3f, "longest": %.3f, "refused": %d, '
      .. '"broken": %d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1e3,
    latency:percentile(99) / 1e3, latency.max / 1e3, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout))
end
