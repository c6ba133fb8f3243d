// From the alternatives of a JSON Schema to rules: members in the order of the schema, others behind them.
#include <algorithm>
#include <map>

#include "../../base/error.h"
#include "grammar.h"
#include "json_text.h"
#include "number_language.h"
#include "regex.h"
#include "schema_terms.h"

namespace trustformers {
namespace {

constexpr std::size_t max_rules = 40'000;
constexpr std::size_t max_patterns = 4;
constexpr std::int64_t max_places = 1000;
constexpr std::size_t max_unique_values = 8;

class SchemaCompiler {
 public:
  explicit SchemaCompiler(const SchemaDocument& document) : reader_(document), rules_(1), json_(rules_) {
    const ExpressionPtr start = value_of({{&document.root(), false}});
    rules_[0] = start;
    while (!work_.empty()) {
      const auto [rule, refs] = work_.back();
      work_.pop_back();
      std::vector<ExpressionPtr> out;
      for (const SchemaTerm& term : reader_.all(refs)) add_term(term, out);
      rules_[rule] = choice(std::move(out));
    }
  }
  std::vector<ExpressionPtr> take_rules() { return std::move(rules_); }

 private:
  std::size_t new_rule() {
    check(rules_.size() < max_rules, ErrorCode::unsupported, "[schema] it needs more than ", max_rules, " rules");
    rules_.emplace_back();
    return rules_.size() - 1;
  }

  /// Values that all of the schemas allow.
  ExpressionPtr value_of(std::vector<SchemaRef> refs) {
    std::erase_if(refs, [](const SchemaRef& r) {
      return !r.negated && (!r.schema || (r.schema->is_bool() && r.schema->as_bool()));
    });
    std::sort(refs.begin(), refs.end());
    refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
    if (refs.empty()) return json_.value();
    const auto known = values_.find(refs);
    if (known != values_.end()) return call(known->second);
    const std::size_t rule = new_rule();
    values_.emplace(refs, rule);
    work_.emplace_back(rule, std::move(refs));
    return call(rule);
  }

  void add_term(const SchemaTerm& t, std::vector<ExpressionPtr>& out) {
    if (t.candidates) {
      for (const Json& value : *t.candidates)
        if (reader_.satisfies(value, t)) out.push_back(literal(value.dump()));
      return;
    }
    if (t.null) out.push_back(literal("null"));
    if (t.yes) out.push_back(literal("true"));
    if (t.no) out.push_back(literal("false"));
    if (t.number && !(t.numbers && t.numbers->empty())) out.push_back(t.numbers ? language(t.numbers) : json_number());
    if (t.string && !(t.texts && t.texts->empty())) out.push_back(t.texts ? json_string(*t.texts) : json_.string());
    if (t.array) out.push_back(ArrayRules(*this, t).start());
    if (t.object) out.push_back(ObjectRules(*this, t).start());
  }

  ExpressionPtr separated(bool first, ExpressionPtr part) {
    return first ? part : sequence({literal(","), json_.space(), std::move(part)});
  }

  /// Lists as a chain of rules: one for each place, and for how often "contains" was met or which values came.
  class ArrayRules {
   public:
    ArrayRules(SchemaCompiler& all, const SchemaTerm& term) : all_(all), term_(term) {
      for (const auto& rule : term.items) places_ = std::max(places_, static_cast<std::int64_t>(rule.prefix.size()));
      last_place_ = std::max({places_, term.min_items, term.max_items.value_or(0)});
      check(last_place_ <= max_places, ErrorCode::unsupported, "[schema] \"minItems\" or \"maxItems\" = ", last_place_,
            " is not supported: at most ", max_places);
      if (term.unique && term.max_items.value_or(2) > 1) list_unique_values();
    }
    ExpressionPtr start() {
      State state;
      state.counts.assign(term_.contains.size(), 0);
      return sequence({literal("["), all_.json_.space(), rest(state)});
    }

   private:
    struct State {
      std::int64_t place = 0;
      std::uint32_t used = 0;  // of the unique values
      bool first = true;
      std::vector<std::int64_t> counts;
      friend auto operator<=>(const State&, const State&) = default;
    };

    /// Distinct items are known only where they are few: from enum, const, booleans and null.
    void list_unique_values() {
      check(places_ == 0 || term_.max_items, ErrorCode::unsupported,
            "[schema] \"uniqueItems\" behind \"prefixItems\" is not supported");
      std::vector<SchemaRef> refs;
      for (const auto& rule : term_.items) {
        check(rule.prefix.empty(), ErrorCode::unsupported,
              "[schema] \"uniqueItems\" with \"prefixItems\" is not supported");
        refs.push_back(rule.rest);
      }
      check(term_.contains.empty(), ErrorCode::unsupported,
            "[schema] \"uniqueItems\" with \"contains\" is not supported");
      for (const SchemaTerm& t : all_.reader_.all(refs)) {
        if (t.candidates) {
          for (const Json& v : *t.candidates)
            if (all_.reader_.satisfies(v, t)) add_unique(v);
          continue;
        }
        const bool others = t.number || t.string || t.array || t.object;
        check(!others, ErrorCode::unsupported,
              "[schema] \"uniqueItems\" of items that are not few values is not supported");
        if (t.null) add_unique(nullptr);
        if (t.yes) add_unique(true);
        if (t.no) add_unique(false);
      }
      only_unique_ = true;
    }
    void add_unique(const Json& value) {
      const auto same = [&](const Json& v) {
        return v == value || (v.is_number() && value.is_number() && v.as_double() == value.as_double());
      };
      if (std::any_of(unique_.begin(), unique_.end(), same)) return;
      unique_.push_back(value);
      check(unique_.size() <= max_unique_values, ErrorCode::unsupported, "[schema] \"uniqueItems\" of more than ",
            max_unique_values, " values is not supported");
    }

    /// What may come from here to the end of the list.
    ExpressionPtr rest(const State& state) {
      const auto known = rules_.find(state);
      if (known != rules_.end()) return call(known->second);
      const std::size_t rule = all_.new_rule();
      rules_.emplace(state, rule);
      std::vector<ExpressionPtr> out;
      if (may_end(state)) out.push_back(sequence({all_.json_.space(), literal("]")}));
      if (!term_.max_items || state.place < *term_.max_items) add_items(state, out);
      all_.rules_[rule] = choice(std::move(out));
      return call(rule);
    }

    bool may_end(const State& state) const {
      for (std::size_t c = 0; c < state.counts.size(); ++c)
        if (state.counts[c] < term_.contains[c].least) return false;
      return state.place >= term_.min_items;
    }

    void add_items(const State& state, std::vector<ExpressionPtr>& out) {
      State next = state;
      next.first = false;
      // Beyond the last place that matters all places are alike.
      next.place = std::min(state.place + 1, last_place_ + (term_.max_items ? 1 : 0));
      if (only_unique_) {
        for (std::size_t v = 0; v < unique_.size(); ++v) {
          if (state.used >> v & 1) continue;
          next.used = state.used | (1U << v);
          out.push_back(sequence({all_.separated(state.first, literal(unique_[v].dump())), rest(next)}));
        }
        return;
      }
      std::vector<SchemaRef> refs;
      for (const auto& rule : term_.items)
        refs.push_back(static_cast<std::size_t>(state.place) < rule.prefix.size()
                           ? rule.prefix[static_cast<std::size_t>(state.place)]
                           : rule.rest);
      add_kinds(state, next, 0, refs, out);
    }

    /// Splits by whether the item is one that each "contains" counts, where that makes a difference.
    void add_kinds(const State& state, const State& next, std::size_t c, const std::vector<SchemaRef>& refs,
                   std::vector<ExpressionPtr>& out) {
      if (c == term_.contains.size()) {
        out.push_back(sequence({all_.separated(state.first, all_.value_of(refs)), rest(next)}));
        return;
      }
      const SchemaTerm::Contains& rule = term_.contains[c];
      const auto with = [&](std::vector<SchemaRef> more, std::int64_t count, std::optional<SchemaRef> ref) {
        State counted = next;
        counted.counts[c] = count;
        if (ref) more.push_back(*ref);
        add_kinds(state, counted, c + 1, more, out);
      };
      const std::int64_t count = state.counts[c];
      if (!rule.most) {  // enough is enough: uncounted items may be of either kind
        with(refs, count, std::nullopt);
        if (count < rule.least) with(refs, count + 1, rule.schema);
        return;
      }
      with(refs, count, negation(rule.schema));
      if (count < *rule.most) with(refs, count + 1, rule.schema);
    }

    SchemaCompiler& all_;
    const SchemaTerm& term_;
    std::int64_t places_ = 0, last_place_ = 0;
    bool only_unique_ = false;
    std::vector<Json> unique_;
    std::map<State, std::size_t> rules_;
  };

  /// Objects as a chain of rules: one for each named member, then one for all others.
  class ObjectRules {
   public:
    ObjectRules(SchemaCompiler& all, const SchemaTerm& term) : all_(all), term_(term) {
      list_names();
      list_others();
      counted_ = term.min_properties > 0 || term.max_properties;
      check(term.min_properties <= static_cast<std::int64_t>(names_.size() + others_.size()) || others_.empty(),
            ErrorCode::unsupported, "[schema] \"minProperties\" = ", term.min_properties,
            " with members of free names is not supported: the names could not be told apart");
    }
    ExpressionPtr start() { return sequence({literal("{"), all_.json_.space(), rest(State())}); }

   private:
    struct Member {
      std::string name;
      std::vector<SchemaRef> schemas;
      bool required = false;
    };
    struct Others {  // of names that match the same patterns
      ExpressionPtr name;
      std::vector<SchemaRef> schemas;
    };
    struct State {
      std::size_t member = 0;
      bool first = true;
      std::uint32_t seen = 0;          // which kinds of other names came: their first ones are surely new
      std::int64_t low = 0, high = 0;  // members that surely differ, and all
      friend auto operator<=>(const State&, const State&) = default;
    };

    void list_names() {
      std::vector<std::string> names;
      const auto add = [&](const std::string& name) {
        if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
      };
      for (const auto& p : term_.properties) add(p.name);
      for (const std::string& name : term_.required) add(name);
      for (const auto& rest : term_.rests)
        for (const std::string& name : rest.names) add(name);
      for (const std::string& name : names) {
        Member member{name, {}, term_.required.contains(name)};
        for (const auto& p : term_.properties)
          if (p.name == name) member.schemas.push_back(p.schema);
        for (const auto& p : term_.patterns)
          if (p.names->accepts(name)) member.schemas.push_back(p.schema);
        for (const auto& rest : term_.rests)
          if (std::find(rest.names.begin(), rest.names.end(), name) == rest.names.end() &&
              std::none_of(rest.patterns.begin(), rest.patterns.end(), [&](const auto& p) { return p->accepts(name); }))
            member.schemas.push_back(rest.schema);
        for (const SchemaRef& rule : term_.names)
          if (!all_.reader_.satisfies(Json(name), rule)) member.schemas.push_back({nullptr, true});
        names_.push_back(std::move(member));
      }
    }

    /// The names that are not listed, by which patterns they match.
    void list_others() {
      std::vector<DfaPtr> patterns;
      const auto add = [&](const DfaPtr& p) {
        if (std::find(patterns.begin(), patterns.end(), p) == patterns.end()) patterns.push_back(p);
      };
      for (const auto& p : term_.patterns) add(p.names);
      for (const auto& rest : term_.rests)
        for (const DfaPtr& p : rest.patterns) add(p);
      check(patterns.size() <= max_patterns, ErrorCode::unsupported, "[schema] \"patternProperties\" with more than ",
            max_patterns, " patterns is not supported");
      Dfa names = every_text();
      bool any_name = names_.empty() && term_.names.empty();
      if (!names_.empty()) {
        std::vector<ExpressionPtr> listed;
        for (const Member& m : names_) listed.push_back(literal(m.name));
        names = difference(names, Dfa(choice(std::move(listed))));
      }
      for (const SchemaRef& rule : term_.names) {
        Dfa allowed;
        for (const SchemaTerm& t : all_.reader_.terms(rule)) allowed = joined(allowed, names_of(t));
        names = intersection(names, allowed);
      }
      for (std::size_t kind = 0; kind < std::size_t{1} << patterns.size(); ++kind) {
        Dfa mine = names;
        for (std::size_t p = 0; p < patterns.size(); ++p)
          mine = kind >> p & 1 ? intersection(mine, *patterns[p]) : difference(mine, *patterns[p]);
        if (mine.empty()) continue;
        const auto matches = [&](const DfaPtr& p) {
          return (kind >> (std::find(patterns.begin(), patterns.end(), p) - patterns.begin()) & 1) != 0;
        };
        std::vector<SchemaRef> schemas;
        for (const auto& p : term_.patterns)
          if (matches(p.names)) schemas.push_back(p.schema);
        for (const auto& rest : term_.rests)
          if (std::none_of(rest.patterns.begin(), rest.patterns.end(), matches)) schemas.push_back(rest.schema);
        const bool never = std::any_of(schemas.begin(), schemas.end(), [](const SchemaRef& r) {
          return r.negated ? !r.schema || (r.schema->is_bool() && r.schema->as_bool())
                           : r.schema && r.schema->is_bool() && !r.schema->as_bool();
        });
        if (never) continue;
        any_name = any_name && patterns.empty();
        others_.push_back({any_name ? all_.json_.string() : named(json_string(mine)), std::move(schemas)});
      }
    }
    ExpressionPtr named(ExpressionPtr name) {
      const std::size_t rule = all_.new_rule();
      all_.rules_[rule] = std::move(name);
      return call(rule);
    }
    /// The names that a term of propertyNames allows.
    static Dfa names_of(const SchemaTerm& t) {
      if (t.candidates) {
        std::vector<ExpressionPtr> list;
        for (const Json& v : *t.candidates)
          if (v.is_string() && (!t.texts || t.texts->accepts(v.as_string()))) list.push_back(literal(v.as_string()));
        return Dfa(choice(std::move(list)));
      }
      return !t.string ? Dfa() : t.texts ? *t.texts : every_text();
    }
    static Dfa joined(const Dfa& a, const Dfa& b) {
      if (a.empty()) return b;
      if (b.empty()) return a;
      return Dfa(choice({language(std::make_shared<Dfa>(a)), language(std::make_shared<Dfa>(b))}));
    }

    ExpressionPtr member(bool first, const ExpressionPtr& name, const std::vector<SchemaRef>& schemas) {
      return all_.separated(first, sequence({name, literal(":"), all_.json_.space(), all_.value_of(schemas)}));
    }

    State counted(State state, bool surely_new) const {
      state.first = false;
      if (!counted_) return state;
      if (surely_new) state.low = std::min(state.low + 1, term_.min_properties);
      if (term_.max_properties) ++state.high;
      return state;
    }

    /// What may come from here to the end of the object.
    ExpressionPtr rest(const State& state) {
      const auto known = rules_.find(state);
      if (known != rules_.end()) return call(known->second);
      const std::size_t rule = all_.new_rule();
      rules_.emplace(state, rule);
      std::vector<ExpressionPtr> out;
      const bool full = term_.max_properties && state.high >= *term_.max_properties;
      if (state.member < names_.size()) {
        const Member& m = names_[state.member];
        State without = state;
        ++without.member;
        if (!full)
          out.push_back(
              sequence({member(state.first, literal(Json(m.name).dump()), m.schemas), rest(counted(without, true))}));
        if (!m.required) out.push_back(rest(without));
      } else {
        if (state.low >= term_.min_properties) out.push_back(sequence({all_.json_.space(), literal("}")}));
        for (std::size_t i = 0; i < others_.size() && !full; ++i) {
          State next = counted(state, (state.seen >> i & 1) == 0);
          if (counted_ && term_.min_properties > 0) next.seen |= 1U << i;
          out.push_back(sequence({member(state.first, others_[i].name, others_[i].schemas), rest(next)}));
        }
      }
      all_.rules_[rule] = choice(std::move(out));
      return call(rule);
    }

    SchemaCompiler& all_;
    const SchemaTerm& term_;
    std::vector<Member> names_;
    std::vector<Others> others_;
    bool counted_ = false;
    std::map<State, std::size_t> rules_;
  };

  SchemaReader reader_;
  std::vector<ExpressionPtr> rules_;
  JsonRules json_;
  std::map<std::vector<SchemaRef>, std::size_t> values_;
  std::vector<std::pair<std::size_t, std::vector<SchemaRef>>> work_;
};

}  // namespace

Grammar Grammar::json_schema(std::string_view schema) {
  const SchemaDocument document(schema);
  return Grammar(SchemaCompiler(document).take_rules());
}

}  // namespace trustformers
