-- What Envoy's Lua filter does at its best: the benchmark puts the table `edits` in front, a pair for each edit in the order of the
-- page, the literal markup as it stands there and what is to stand there instead. Nothing is parsed, every search is plain and goes
-- on where the last one ended, and the page is joined and set once.
function envoy_on_response(handle)
  local body = handle:body()
  if body == nil then
    return
  end
  local page = body:getBytes(0, body:length())
  local parts, from = {}, 1
  for _, edit in ipairs(edits) do
    local first, last = string.find(page, edit.from, from, true)
    if first then
      parts[#parts + 1] = string.sub(page, from, first - 1)
      parts[#parts + 1] = edit.to
      from = last + 1
    end
  end
  parts[#parts + 1] = string.sub(page, from)
  handle:headers():replace("content-length", body:setBytes(table.concat(parts)))
end
