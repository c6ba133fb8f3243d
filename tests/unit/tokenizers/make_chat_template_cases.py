"""Writes chat_template_cases.json: small templates and what Jinja2 renders under the settings of transformers.

    pip install transformers jinja2
    python make_chat_template_cases.py > chat_template_cases.json

Each row of "cases" is [template, text], or [template] where Jinja2 raises an error.
Made with Jinja2 3.1.6 and transformers 5.23.0.
"""
import datetime
import json

import transformers.utils.chat_template_utils as chat


class FixedClock(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2024, 7, 26, 9, 5, 3)


chat.datetime = FixedClock

D = dict(messages=[{'role':'user','content':'Hi é 日本 🎉'},{'role':'assistant','content':None,'tool_calls':[{'function':{'name':'f','arguments':{'a':1,'b':[1.5,True,None,'x"y\'']}}}]},{'role':'tool','content':'  r  \n'}],
  s='Hello World', e='', n=7, f=2.5, z=0, t=True, l=[3,1,2], d={'b':1,'a':2,'items':5}, u='ünï', ws='  a b\tc \n', lst=[{'n':'b','v':2},{'n':'A','v':1},{'n':'a'}], nest={'x':{'y':[10,20,{'k':'v'}]}}, html='<a href="x">&\'</a>', big=10**15, neg=-7, fl=[1e16,1e-5,0.1,100.0,1e22,123456789.123,-0.0,1e300], none=None, words='the quick brown fox', lines='a\n\nb\r\nc\n')
T = r'''
{{ s }}
{{ none }} {{ t }} {{ not t }} {{ n }} {{ f }} {{ l }} {{ d }} {{ nest }} {{ fl }} {{ u }} {{ [u, ws, html] }}
{{ undefinedvar }}|{{ d.missing }}|{{ undefinedvar is defined }}|{{ d.b is defined }}
{{ undefinedvar.x }}
{{ none.x }}
{{ none.x.y }}
{{ l[0] }} {{ l[-1] }} {{ l[10] }} {{ s[0] }} {{ s[-1] }} {{ u[0] }} {{ s[1:4] }} {{ s[::-1] }} {{ l[::-1] }} {{ l[1:] }} {{ l[:-1] }} {{ l[-100:100] }} {{ s[5:2] }} {{ s[5:2:-1] }} {{ l[:-5:-1] }} {{ s[-3:] }}
{{ d.items is callable }} {{ d.items is defined }}
{{ d['items'] }} {{ d.items() }} {{ d.items()|list }} {{ d.keys()|list }} {{ d.values()|list }} {{ d.get('a') }} {{ d.get('q') }} {{ d.get('q', 5) }}
{{ 1 + 2 * 3 - 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ 7 % 3 }} {{ -7 % 3 }} {{ 2 ** 10 }} {{ 2 ** -1 }} {{ 2 ** 3 ** 2 }} {{ 7.5 // 2 }} {{ -7.5 % 2 }} {{ 1 / 3 }} {{ 10 / 5 }}
{{ -n|abs }} {{ (-n)|abs }} {{ -3|abs + 1 }}
{{ 'a' ~ 1 ~ none ~ 2.0 ~ [1] }} {{ 'a' + 'b' }} {{ 'ab' * 3 }} {{ [1] * 2 }} {{ [1] + [2] }}
{{ 'a' + 1 }}
{{ 1 + none }}
{{ 1 < 2 < 3 }} {{ 1 < 2 > 3 }} {{ 1 == 1.0 }} {{ 'a' < 'b' }} {{ [1,2] < [1,3] }} {{ none == none }} {{ 1 == '1' }} {{ true == 1 }}
{{ 'a' < 1 }}
{{ 'l' in s }} {{ 'z' not in s }} {{ 3 in l }} {{ 'a' in d }} {{ 'x' in undefinedvar }} {{ none in [none] }}
{{ 1 in s }}
{{ t and n }} {{ z or 'x' }} {{ e or none }} {{ t if z else 'no' }} {{ 'yes' if z }}|
{{ s|upper }} {{ s|lower }} {{ s|title }} {{ 'hello wORLD-foo (bar)'|title }} {{ 'hELLO'|capitalize }} {{ u|upper }} {{ ws|trim }}|{{ 'xxaxx'|trim('x') }}
{{ s|length }} {{ l|length }} {{ d|length }} {{ u|length }} {{ undefinedvar|length }}
{{ 5|length }}
{{ l|join }} {{ l|join(', ') }} {{ lst|join('-', attribute='n') }} {{ lst|map(attribute='n')|join(',') }} {{ lst|map(attribute='v', default='?')|list }}
{{ l|first }} {{ l|last }} {{ []|first }} {{ s|first }} {{ s|last }}
{{ undefinedvar|default('d') }} {{ e|default('d') }} {{ e|default('d', true) }} {{ none|default('d') }} {{ none|d('d', boolean=true) }} {{ undefinedvar|default }}|
{{ l|list }} {{ s|list }} {{ d|list }} {{ d|items|list }} {{ undefinedvar|items|list }} {{ d|dictsort }} {{ d|dictsort(by='value', reverse=true) }}
{{ l|map('string')|list }} {{ l|map('float')|list }} {{ ['a','B']|map('upper')|list }} {{ [' a ','b ']|map('trim')|map('upper')|join }}
{{ l|select('odd')|list }} {{ l|reject('odd')|list }} {{ [0,1,'',none,'a']|select|list }} {{ lst|selectattr('v')|list }} {{ lst|selectattr('v','equalto',2)|list }} {{ lst|rejectattr('v','defined')|list }} {{ lst|selectattr('n','in',['a','b'])|map(attribute='n')|list }} {{ l|select('>', 1)|list }} {{ l|select('greaterthan', 1)|list }}
{{ l|map('upper') is iterable }} {{ 'yes' if l|select('equalto', 99) else 'no' }}
{{ l|select('odd')|length }}
{{ s|replace('l','L') }} {{ s|replace('l','L',1) }} {{ 'aaa'|replace('','-') }} {{ 5|replace('5','6') }}
{{ '5'|int }} {{ '5.7'|int }} {{ 'x'|int }} {{ 'x'|int(9) }} {{ '0x1f'|int(base=16) }} {{ 5.9|int }} {{ -5.9|int }} {{ true|int }} {{ none|int }} {{ ' 12 '|int }} {{ '1_000'|int }} {{ '1e3'|int }}
{{ '5.5'|float }} {{ 'x'|float }} {{ '1e3'|float }} {{ 3|float }} {{ '.5'|float }} {{ '5.'|float }} {{ '+3.25'|float }}
{{ -5|abs }} {{ l|sum }} {{ lst|selectattr('v')|sum(attribute='v') }} {{ l|min }} {{ l|max }} {{ ['b','A']|min }} {{ []|min }}|{{ l|sum(start=10) }}
{{ l|reverse|list }} {{ s|reverse }} {{ l|sort }} {{ l|sort(reverse=true) }} {{ ['b','A','c']|sort }} {{ ['b','A','c']|sort(case_sensitive=true) }} {{ lst|sort(attribute='n')|map(attribute='n')|list }} {{ lst|sort(attribute='n', reverse=true)|map(attribute='n')|list }}
{{ [1,1,2,'a','A','b']|unique|list }} {{ lst|unique(attribute='n')|map(attribute='n')|list }} {{ [1,1.0,true]|unique|list }}
{{ 'a\nb\n\nc'|indent }}|{{ 'a\nb'|indent(2, true) }}|{{ 'a\n\nb'|indent(2, blank=true) }}|{{ 'a\nb'|indent('> ') }}|{{ lines|indent(1) }}|{{ ''|indent(3) }}|{{ ''|indent(3, true) }}|
{{ html|safe }} {{ html|e }} {{ html|escape }} {{ html|string }} {{ ('a'|safe) + '<' }} {{ '<' + ('a'|safe) }} {{ '<' ~ ('a'|safe) }} {{ (html|e)|e }} {{ html|forceescape }}
{{ [1,2,3,4,5]|batch(2)|list }} {{ [1,2,3,4,5]|batch(2, 0)|list }}
{{ d|tojson }} {{ nest|tojson }} {{ messages|tojson }} {{ messages|tojson(indent=2) }} {{ s|tojson }} {{ html|tojson }} {{ u|tojson }} {{ u|tojson(ensure_ascii=true) }} {{ '🎉'|tojson(true) }} {{ fl|tojson }} {{ []|tojson(indent=2) }} {{ {}|tojson(indent=2) }} {{ {1:2,none:3,true:4,2.5:1}|tojson }} {{ (1,2)|tojson }} {{ d|tojson(sort_keys=true) }} {{ nest|tojson(separators=(',',':')) }} {{ nest|tojson(indent=1, separators=(' ,',' : ')) }} {{ '\x01\x7f\t\b\f/'|tojson }} {{ l|tojson(indent='--') }}
{{ undefinedvar|tojson }}
{{ s.upper() }} {{ s.lower() }} {{ ws.strip() }}|{{ ws.lstrip() }}|{{ ws.rstrip() }}|{{ 'xxaxx'.strip('x') }} {{ 'abcba'.lstrip('ab') }} {{ s.split() }} {{ s.split('o') }} {{ s.split('o', 1) }} {{ ws.split() }} {{ ' a b c '.split(None, 1) }} {{ ' a b c '.split(' ') }} {{ s.rsplit('o', 1) }} {{ lines.splitlines() }} {{ s.startswith('He') }} {{ s.startswith(('x','He')) }} {{ s.endswith('d') }} {{ s.find('o') }} {{ s.find('o', 5) }} {{ s.rfind('o') }} {{ s.find('zz') }} {{ s.count('l') }} {{ s.replace('l','') }} {{ s.title() }} {{ "it's a dog".title() }} {{ 'aB'.swapcase() }} {{ '12'.isdigit() }} {{ 'ab'.isalpha() }} {{ ' '.isspace() }} {{ ''.isdigit() }} {{ 'a1'.isalnum() }} {{ 'AB'.isupper() }} {{ 'ab1'.islower() }} {{ '-'.join(['a','b']) }} {{ '7'.zfill(3) }} {{ '-7'.zfill(4) }} {{ 'a'.ljust(3,'.') }} {{ 'a'.rjust(3) }} {{ 'a'.center(4,'*') }} {{ 'ab'.center(5,'*') }} {{ 'abc'.removeprefix('a') }} {{ 'abc'.removesuffix('c') }} {{ 'a=b=c'.partition('=') }} {{ 'a=b=c'.rpartition('=') }} {{ 'hELLO'.capitalize() }}
{{ l.index(1) }} {{ l.count(3) }} {{ (1,2).index(2) }}
{{ l.append(4) }}
{% set x = d.update({'q':1}) %}
{{ s.index('zz') }}
{{ s.nosuch() }}
{{ s() }}
{{ range(3)|list }} {{ range(1,4)|list }} {{ range(5,0,-2)|list }} {{ range(3) }} {{ range(0,10,3) }} {{ range(3)[1] }} {{ range(3)|length }}
{{ range(1000000) }}
{{ dict(a=1, b=2) }} {{ dict({'a':1}, b=2) }} {{ dict([('x',1)]) }}
{% set ns = namespace(a=1, b=[]) %}{% set ns.a = ns.a + 1 %}{% for i in l %}{% set ns.b = ns.b + [i] %}{% endfor %}{{ ns.a }} {{ ns.b }} {{ ns.c is defined }} {{ ns.c }}|
{{ raise_exception('boom ' ~ n) }}
{{ strftime_now('%d %b %Y %H:%M:%S %j %A %B %y %I %p %a %m %-d %%') }}
{% for i in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.previtem }}{{ loop.nextitem }}{{ loop.depth }}{{ loop.cycle('a','b') }}{{ loop.changed(i) }};{% endfor %}
{% for i in [] %}x{% else %}empty{% endfor %}{% for i in undefinedvar %}x{% else %}undef{% endfor %}
{% for i in 5 %}{% endfor %}
{% for k, v in d.items() %}{{ k }}={{ v }},{% endfor %}{% for k in d %}{{ k }}{% endfor %}{% for c in u %}[{{ c }}]{% endfor %}{% for a, b in [(1,2),(3,4)] %}{{ a }}{{ b }}{% endfor %}{% for (a, b), c in [((1,2),3)] %}{{ a }}{{ b }}{{ c }}{% endfor %}
{% for i in l if i > 1 %}{{ loop.index }}{{ i }}{{ loop.last }}{% endfor %}
{% for i in l %}{% for j in l %}{{ loop.depth }}{{ i }}{{ j }} {% endfor %}{% endfor %}
{% for i in l %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% for i in l %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% else %}none{% endfor %}
{% set x = 1 %}{% for i in l %}{% set x = x + i %}{{ x }} {% endfor %}{{ x }}
{% set x %}a{{ n }}b{% endset %}{{ x }}{% set x | upper %}abc{% endset %}{{ x }}{% set a, b = 1, 2 %}{{ a }}{{ b }}
{% if z %}a{% elif n > 5 %}b{% else %}c{% endif %}{% if none %}x{% endif %}{% if undefinedvar %}x{% else %}y{% endif %}
{% macro m(a, b=2, c=a) %}{{ a }}-{{ b }}-{{ c }}{% endmacro %}{{ m(1) }} {{ m(1, 5) }} {{ m(b=3, a=4) }} {{ m() }}
{% macro m(a) %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1,2,3,x=4) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(1,2) }}
{% macro m(a) %}{{ a }}{% endmacro %}{{ m(q=2) }}
{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n-1) }}{% endif %}{% endmacro %}{{ f(5) }}
{% macro w(x) %}[{{ caller() }}{{ x }}]{% endmacro %}{% call w(1) %}in{{ n }}{% endcall %}
{% macro w() %}[{{ caller(5) }}]{% endmacro %}{% call(v) w() %}in{{ v }}{% endcall %}
{% macro w() %}{{ q }}{% endmacro %}{% set q = 5 %}{{ w() }}
{% filter upper %}abc{{ s }}{% endfilter %}{% filter replace('a','b')|upper %}abc{% endfilter %}
{% with a=1, b=2 %}{{ a }}{{ b }}{% endwith %}{{ a }}
{% generation %}gen{{ n }}{% endgeneration %}
{% raw %}{{ x }}{% if %}{% endraw %}|{# comment #}|
a  {%- if t -%}  b  {%- endif -%}  c
a  {%+ if t +%}  b  {%+ endif +%}  c
   {% if t %}
   x
   {% endif %}
y
   {%+ if t %}
   x
   {%- endif %}

z
   {# c #}
   q {# c #} 
  {{ n }}  
{{- n -}}  a
  {%- raw %} x  {%- endraw %} y
{% raw -%}   x{% endraw -%}   y
{% set x = {'a': {'b': {}}} %}{{ x }}{{ {'a':1}['a'] }}{{ {'a':1}.a }}
{{ "a\tb\n\\\"\'\x41\u00e9\101" }} {{ 'a' 'b' }} {{ '\q' }}
{{ 1_000 }} {{ 0x1F }} {{ 0b11 }} {{ 0o17 }} {{ 1.5e3 }} {{ 1e3 }} {{ 12.5 }}
{{ (1,) }} {{ () }} {{ (1,2) }} {{ 1, 2 }} {{ [1,2,] }} {{ {'a':1,} }}
{{ n is odd }} {{ n is even }} {{ n is divisibleby 7 }} {{ n is number }} {{ f is float }} {{ n is integer }} {{ t is integer }} {{ t is boolean }} {{ t is true }} {{ z is false }} {{ s is string }} {{ d is mapping }} {{ l is sequence }} {{ d is sequence }} {{ s is iterable }} {{ n is iterable }} {{ none is none }} {{ undefinedvar is undefined }} {{ n is eq 7 }} {{ n is in [7] }} {{ n is not in [7] }} {{ n is sameas 7 }} {{ s is lower }} {{ 'A' is upper }} {{ range is callable }} {{ s.upper is callable }} {{ undefinedvar is iterable }} {{ 3 is gt 2 }} {{ n == 7 is true }} {{ 'tojson' is filter }} {{ 'zz' is filter }} {{ 'odd' is test }}
{{ x is nosuchtest }}
{{ x|nosuchfilter }}
{{ "%s is %d and %.2f %5s|%-5s|%05d %x %r %%" % (s, n, f, 'a', 'b', 42, 255, 'q') }} {{ "%s" % n }} {{ "%(a)s" % d }} {{ "%s-%s"|format(1, 2) }}
{{ "%d" % 'x' }}
{{ "%s %s" % (1,) }}
{{ "%s" % (1,2) }}
{{ 3.7|round }} {{ 3.14159|round(2) }} {{ 2.5|round }} {{ 3.2|round(method='ceil') }} {{ 3.75|round(1,'floor') }} {{ 7|round }}
{{ words|truncate(10) }} {{ words|truncate(10, true) }} {{ words|truncate(12, leeway=0) }} {{ words|wordcount }} {{ 'a b/c?é'|urlencode }} {{ 'ab'|center(6) }}|
{{ messages[0].content }} {{ messages[1]['tool_calls'][0].function.name }} {{ messages[0]['content'][3:] }} {{ messages[-1]['content']|trim }} {{ messages[1].content is none }} {{ messages|selectattr('role','equalto','tool')|list|length }}
{% for m in messages %}{% if loop.first and m.role == 'user' %}A{% endif %}{{ m['role'] }}{% if not loop.last %},{% endif %}{% endfor %}
{{ nest.x.y[2].k }} {{ nest['x']['y'].0 }} {{ lst|map(attribute='n.0')|list }}
{{ true|string + 'x' }} {{ [true,none]|string }} {{ 1.0 }} {{ 1e100 }} {{ -0.0 }} {{ 1e15 }} {{ 123456789012345680.0 }} {{ 0.0001 }} {{ 0.00001 }}
{{ [1, 'a', "it's", 'q"', 'b\\'] }} {{ ['\n\x00\xa0\u200b'] }} {{ ('a',) }}
{{ joiner(',') is callable }}{% set j = joiner('|') %}{{ j() }}{{ j() }}{{ j() }}
{{ lst|groupby('n') }} {% for k, items in lst|groupby('n') %}{{ k }}:{{ items|length }};{% endfor %}{% for g in lst|groupby('v', default=0) %}{{ g.grouper }}={{ g.list|map(attribute='n')|join('+') }} {% endfor %}{{ [{'a':'X'},{'a':'x'},{'a':'y'}]|groupby('a')|length }} {{ [{'a':'X'},{'a':'x'}]|groupby('a', case_sensitive=true)|length }}
{{ [1,2,3,4,5]|slice(3)|list }} {{ [1,2,3,4,5]|slice(3, 0)|list }} {{ []|slice(2)|list }} {{ 'abcdef'|slice(4)|list }}
{{ s|attr('upper') is callable }} {{ d|attr('a') is defined }} {{ d|attr('items') is callable }}
{{ '<p>Hello <b>big</b>   world</p><!-- no --> &amp; &lt;x&gt;'|striptags }} {{ 'a < b'|striptags }} {{ 'a <!-- b <c> d'|striptags }}
{{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1000|filesizeformat }} {{ 1500000|filesizeformat }} {{ 1024|filesizeformat(true) }} {{ 10**13|filesizeformat }} {{ '2048'|filesizeformat(binary=true) }}
{% for x in [{'n':1,'c':[{'n':2,'c':[]},{'n':3,'c':[{'n':4,'c':[]}]}]}] recursive %}{{ loop.depth }}{{ loop.depth0 }}:{{ x.n }}{% if x.c %}({{ loop(x.c) }}){% endif %}{% if not loop.last %},{% endif %}{% endfor %}
{% for x in [1,[2,[3]]] recursive %}{% if x is iterable %}[{{ loop(x) }}]{% else %}{{ x }}{% endif %}{% else %}none{% endfor %}
{% for x in [1] recursive %}{{ loop() }}{% endfor %}
{{ '{} and {}'.format(1, 'b') }} {{ '{0}{1}{0}'.format('a','b') }} {{ '{x}-{y[1]}-{z.a}'.format(x=1, y=[5,6], z=d) }}
{{ '{x}-{y[1]}-{z[a]}'.format(x=1, y=[5,6], z=d) }} {{ '{{}}{!r}{!s}'.format('q', none) }} {{ '{:>5}|{:<5}|{:^5}|{:*^7}|{:05d}|{:.2f}|{:x}|{:5}|{:+d}|{:.1%}|{:.3}'.format('a','b','c','d',42,3.14159,255,7,3,0.256,'abcdef') }}
{{ '{}'.format() }}
{{ '{a}'.format(1) }}
{{ '{'.format(1) }}
{% macro outer(x) %}{% macro inner(y) %}{{ x }}{{ y }}{% endmacro %}{{ inner(2) }}{% endmacro %}{{ outer(1) }}
{% macro list_all(items) %}{% for i in items %}{{ caller(i, loop.index) }}{% endfor %}{% endmacro %}{% call(a, b) list_all(l) %}<{{ a }}{{ b }}>{% endcall %}
{% set ns = namespace(found=false, items=[]) %}{% for m in messages %}{% if m.role == 'tool' and not ns.found %}{% set ns.found = true %}{% set ns.items = ns.items + [m.content|trim] %}{% endif %}{% endfor %}{{ ns.found }}{{ ns.items }}
{% set block %}{% for i in l %}{{ i }}{% if not loop.last %}-{% endif %}{% endfor %}{% endset %}{{ block|length }}{{ block }}{% set x | trim | replace('a', 'b') | upper %}  aab  {% endset %}{{ x }}
{{ lst|map('attr', 'n')|list }} {{ lst|map('default', 'q')|list|length }} {{ ['1','2']|map('int', default=0)|sum }} {{ [[1,2],[3]]|map('length')|list }} {{ [[1,2],[3]]|sum(start=[]) }} {{ l|sort|first }} {{ d|dictsort|map('first')|join }} {{ d.items()|map('last')|list }}
{% for i in range(10) if i is even %}{% if i == 6 %}{% break %}{% endif %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{{ loop.index }} {% endfor %}
{{ caller is defined }} {{ loop is defined }}
{{ messages|map(attribute='role')|unique|list }} {{ messages|selectattr('content', 'none')|list|length }} {{ messages|rejectattr('tool_calls', 'defined')|map(attribute='role')|join(' ') }} {{ messages|selectattr('content', 'string')|map(attribute='content')|map('trim')|list }}
{% set g = l|select('odd') %}{{ g|list }}{{ g|list }}
{% set g = l|map('string') %}{{ g|first }}{{ g|list }}
{{ loop }}
{{ l|map('nosuch')|list }}
{% if x is defined and x.y %}{% endif %}ok
{{ 'abc'|batch(2)|list }} {{ 'abc'|select('in','ac')|list }} {{ d|length }} {{ {}|length == 0 }}
{{ [[1,2],[3]]|sum(start=[]) }} {{ d == {'a':2,'b':1,'items':5} }} {{ [1,[2]] == [1,[2]] }} {{ (1,) == [1] }}
{{ d|dictsort|map('first')|list }} {{ d.items()|map('last')|list }} {{ d.items()|sort(attribute='1') }}
{% break %}
{% nosuch %}
{% if %}{% endif %}
{% for x in y %}
{{ 
{{ x }
{% endif %}
{{ 'abc }}
{# never
{{ (1 }}
{{ 1 2 }}
{{ a.b.c(1)(2)[3] }}
{{ x|default([])|length }} {{ (x or {}).get('a', {}).get('b', 'z') }}
{{ not n == 7 }} {{ not (n == 7) }} {{ n is not none and n }} {{ n is not none }} {{ (n is not string) or z }}
{{ 'a' if n == 7 else 'b' if n == 8 else 'c' }} {{ ('a' if false) is defined }}
{{ -1 ** 2 }} {{ 2 ** 0.5 }} {{ 5 % -3 }} {{ 5.5 // -2 }} {{ 1 // 0 }}
{{ l[1:2][0] }} {{ l[-2:][0] }} {{ s[:5]|upper }} {{ (s ~ 'x')[-1] }} {{ (1,2,3)[1:] }}
{%- for i in range(2) -%}
  {{ i }}
{%- endfor %}
{{ '' if messages is string else messages|length }}
{{ messages|map(attribute='role')|unique|join(',') }} {{ messages|map('length')|list }}
{%- macro x() -%}  a  {%- endmacro -%} {{ x() }}
{{ none|trim }} {{ none|upper }} {{ none|string }} {{ none|join }}
{{ 5 in 5 }}
{{ undefinedvar + 1 }}
{{ undefinedvar == undefinedvar2 }} {{ undefinedvar != 1 }} {{ undefinedvar ~ 'x' }} {{ [undefinedvar] }} {{ undefinedvar|list }} {{ undefinedvar|upper }}|
{{ undefinedvar < 1 }}
{{ undefinedvar() }}
{{ d.nosuch() }}
{{ d.get('nosuch').x }}
{{ {}['a'] }} {{ {'a': 1}['b']|default('c') }} {{ [][0]|default('c') }} {{ d[[1]]|default('h') }}
{{ d|pprint }} {{ l|pprint }} {{ nest|pprint }} {{ s|pprint }} {{ messages|pprint }}
{{ (words * 9)|pprint }} {{ [words * 3, {'k': words * 5}, lines * 12]|pprint }} {{ {'b': [1] * 40, 'a': (words, words, words, words), 3: none}|pprint }} {{ (words * 5,)|pprint }}
{{ ('word ' * 40)|wordwrap }}|{{ words|wordwrap(9) }}|{{ (words ~ ' ' ~ lines)|wordwrap(7, wrapstring='/') }}|{{ 'abcdefghijklmnop well-known--things re-entered'|wordwrap(6) }}
{{ 'abcdefghijklmnop well-known--things'|wordwrap(6, false) }}|{{ 'well-known-things a-b'|wordwrap(8, break_on_hyphens=false) }}|{{ '  lead  and   gaps  '|wordwrap(6) }}|{{ u|wordwrap(2) }}
{{ 5|wordwrap }}
{{ 'a'|wordwrap(0) }}
{{ {'class': 'a b', 'id': none, 'x': 1, 'q': html, 'u': undefinedvar}|xmlattr }}|{{ {'a': 1}|xmlattr(false) }}|{{ {}|xmlattr }}|{{ {'a': html|safe}|xmlattr }}
{{ {'a b': 1}|xmlattr }}
{{ s|xmlattr }}
{{ s|trim|length }} {{ "  x " | trim | upper ~ "!" }} {{ 'a' ~ 'b' | upper }} {{ 'a' + 'b' | upper }} {{ 1 + 2 | string }}
'''
TEMPLATES = T.strip('\n').split('\n')
TEMPLATES += ["a  {%- if t -%}  b  {%- endif -%}  c\n\n", "   {% if t %}\n   x\n   {% endif %}\ny\n   {%+ if t %}\n   x\n   {%- endif %}\n\nz", "  {# c #}\n   q {# c #} \n  {{ n }}  \n", "{% for i in l %}\n  {{ i }}\n{% endfor %}\nend\n\n", "{% for i in l -%}\n  {{ i }}\n{%- endfor %}\nend", "\n\n{% if t %}\n\n a\n{% endif %}\n\n", "a\r\nb\rc\n{% if t %}\r\nx{% endif %}", "x {% set a = 1 %} y\n  {% set b = 2 %} \n z", "{%- set a = 1 -%}\n\n  {{- a }}\n\t{% if t %}\n\tq\n\t{% endif %}", "{% if t %} {# a #}\n b{% endif %}", " {% raw %} a {% endraw %}\n b", "{% raw %}\n a\n  {% endraw %}\n b", "{{ 'a\nb' }}", "{{ n\n+\n1 }}", "{% set x %}\n  abc\n{% endset %}[{{ x }}]", "{#- a -#}\n b {#+ c +#}\n d", "{{ n }}\n{{ n }}\n", "a\xa0{%- if t %}\u2003x{% endif -%}\u2003 b", "{% macro f(a,\n b=1) %}\n{{ a }}\n{% endmacro %}\n{{ f(1) }}", "  {%- if t %}\n    a\n  {%- else %}\n    b\n  {%- endif %}\n", "{{\n  {'a': 1,\n 'b': 2} | tojson\n}}", "   {{ n }}{% if t %}\n a{% endif %}   {% if t %}b{% endif %}\n", "{% if t %}\n{% if t %}\n  x\n{% endif %}\n{% endif %}\ny"]


rows = []
for template in TEMPLATES:
    try:
        rows.append([template, chat._compile_jinja_template(template).render(**D)])
    except Exception:
        rows.append([template])
print('{"variables": ' + json.dumps(D, ensure_ascii=False) + ', "cases": [')
print(",\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
print("]}")
