"""Filters and orders of a Redis store: looked at by the server in Lua, prepared and sorted here.

A page of ids goes to the server with the filter and comes back as the ids that fit, each with what to sort it by, so
that no row has to travel.
"""

from __future__ import annotations

import json
from typing import Any

from riskbox.sandbox.contracts.store import Where
from riskbox.sandbox.stores.shared import FIELDS, label, wanted_facets
from riskbox.sandbox.words import facet
from riskbox.sandbox.words.facet import HARM, Order
from riskbox.sandbox.words.row import EpisodeRow, gravity

FACETS = (*FIELDS, "label")
"""What filters look at, in the order they are kept; what to sort by harm by comes last."""

FITTING = """
-- KEYS: order facets rows
-- ARGV: first and last rank, place of the case, text, wanted values by place, conditions, paths to sort by or `harm`
-- returns how many were looked at, the ids that fit, and for each what to sort it by
local ids = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2])
if #ids == 0 then return {0, {}, {}} end
local text, wanted, terms, order = ARGV[4], cjson.decode(ARGV[5]), cjson.decode(ARGV[6]), cjson.decode(ARGV[7])
local rows = (#terms > 0 or #order > 0 and order[1] ~= 'harm') and redis.call('HMGET', KEYS[3], unpack(ids))

local function decoded(json)
  local is_read, row = pcall(cjson.decode, json)
  -- it refuses lone surrogates, which some texts hold
  return is_read and row or cjson.decode((json:gsub('\\\\u[dD][89a-fA-F]%x%x', '?')))
end

local function collect(value, path, place, found)
  if value == nil or value == cjson.null or value == '' then return end
  local step = path[place]
  if step == nil then
    found[#found + 1] = value == true and 1 or value == false and 0 or value
  elseif type(value) == 'table' then
    if step == '*' then
      for _, one in pairs(value) do collect(one, path, place + 1, found) end
    else
      collect(value[type(step) == 'number' and step + 1 or step], path, place + 1, found)
    end
  end
end

local function values(row, paths)
  local found = {}
  for _, path in ipairs(paths) do collect(row, path, 1, found) end
  return found
end

local compare = {
  ['='] = function(a, b) return a == b end,
  ['!='] = function(a, b) return a == b end,
  ['~'] = function(a, b) return string.find(string.lower(a), b, 1, true) end,
  ['<'] = function(a, b) return a < b end,
  ['<='] = function(a, b) return a <= b end,
  ['>'] = function(a, b) return a > b end,
  ['>='] = function(a, b) return a >= b end,
}

local function holds(row, term)
  local found = values(row, term.paths)
  local any = term.none and #found == 0
  for _, one in ipairs(found) do
    for _, value in ipairs(term.values) do
      any = any or (type(one) == type(value) and compare[term.sign](one, value))
    end
  end
  return (term.sign == '!=') ~= (any and true or false)
end

local function least(found)
  local one = found[1]
  for _, other in ipairs(found) do if other < one then one = other end end
  return one
end

local function key(facets, row)
  if order[1] == 'harm' then return facets[#facets] end
  local one = least(values(row, order))
  return one == nil and '' or type(one) == 'number' and string.format('%.17g', one) or one
end

local fitting, keys = {}, {}
for i, found in ipairs(redis.call('HMGET', KEYS[2], unpack(ids))) do
  local facets = cjson.decode(found)
  local fits = string.find(facets[ARGV[3] + 0], text, 1, true) or string.find(ids[i], text, 1, true)
  for _, one in ipairs(wanted) do fits = fits and one[2][facets[one[1]]] end
  local row = fits and rows and decoded(rows[i])
  for _, term in ipairs(terms) do fits = fits and holds(row, term) end
  if fits then
    fitting[#fitting + 1] = ids[i]
    if #order > 0 then keys[#keys + 1] = key(facets, row) end
  end
end
return {#ids, fitting, keys}
"""
"""Find the episodes of one page that fit a filter."""


def arguments(where: Where, order: Order) -> list[Any]:
    """What `FITTING` is told of a filter and an order, after the ranks of the page."""
    # Lua counts from 1
    values = [
        (FACETS.index(name) + 1, dict.fromkeys(allowed, True))
        for name, allowed in wanted_facets(where).items()
    ]
    by = ["harm"] if order.by == HARM else facet.FACETS[order.by].paths if order.by else []
    return [FACETS.index("case") + 1, where.text, *map(_raw_json, (values, _terms(where), by))]


def facets(row: EpisodeRow) -> str:
    """What filters look at of a row, as JSON in the order of `FACETS`; its harm comes last."""
    harm = ",".join(map(str, gravity(row)[:-1]))
    return _raw_json([*(getattr(row, name) for name in FIELDS), label(row), harm])


def _terms(where: Where) -> list[dict[str, Any]]:
    """Conditions on facets as Lua looks at them."""
    return [
        {
            "paths": facet.FACETS[term.facet].paths,
            "sign": term.sign,
            "values": [
                facet.folded(one) if term.sign == "~" and isinstance(one, str) else one
                for one in term.values
                if one != facet.NONE
            ],
            "none": facet.NONE in term.values,
        }
        for term in where.terms
    ]


def ordered(found: list[tuple[str, bytes]], order: Order) -> list[str]:
    """Ids in an order, from each with what to sort it by; those without come last."""
    if not order.by:
        return [id for id, _ in (reversed(found) if order.reverse else found)]
    ranked: list[tuple[Any, str]] = []
    last = [id for id, key in found if not key]
    for id, key in found:
        if order.by == HARM:
            ranked.append(((*map(float, key.split(b",")), id), id))
        elif key:
            ranked.append((float(key) if facet.FACETS[order.by].kind != "text" else key, id))
    ranked.sort(key=lambda one: one[0])
    if order.reverse:
        ranked.reverse()
        last.reverse()
    return [id for _, id in ranked] + last


def _raw_json(value: object) -> str:
    """JSON with lone surrogates as they are, since Lua's JSON refuses them escaped."""
    return json.dumps(value, ensure_ascii=False)
