"""A strict reader of HTML, for tests of pages: what a browser would forgive is an error here."""

from html.parser import HTMLParser

VOID = {"meta", "img", "br", "link", "input", "hr"}
PROSE = {"a", "code", "em", "span", "strong"}
ONLY = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd", "div"},
    "table": {"caption", "thead", "tbody"},
    "thead": {"tr"},
    "tbody": {"tr"},
    "tr": {"th", "td"},
    "figure": {"img", "figcaption"},
    "p": PROSE,
    "h1": PROSE,
    "h2": PROSE,
    "h3": PROSE,
    "h4": PROSE,
    "dt": PROSE,
    "summary": set(),
    "pre": {"code"},
    "code": {"span"},
    "head": {"meta", "title", "style"},
}


class Page(HTMLParser):
    """A strict reader: every element is closed where it may be, and attributes stand once."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.elements, self.errors, self.texts = [], [], [], []
        self.feed(text)
        self.close()
        self.errors += [f"<{tag}> is never closed" for tag in self.open]

    def handle_starttag(self, tag, attrs):
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.errors.append(f"<{tag}> has an attribute twice: {names}")
        parent = self.open[-1] if self.open else None
        if parent in ONLY and tag not in ONLY[parent]:
            self.errors.append(f"<{tag}> in <{parent}>")
        if parent == "details" and self.elements[-1][0] == "details" and tag != "summary":
            self.errors.append("<details> without a <summary> first")
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open[-1] != tag:
            self.errors.append(f"</{tag}> closes {self.open[-1:]}")
        else:
            self.open.pop()

    def handle_data(self, data):
        if self.open and self.open[-1] in ("ul", "ol", "dl", "table", "tr") and data.strip():
            self.errors.append(f"text in <{self.open[-1]}>: {data.strip()[:40]}")
        self.texts.append((self.open[-1] if self.open else None, data))

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    def identifiers(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]

    def levels(self):
        """The levels of the headings, in order."""
        return [int(tag[1]) for tag, _ in self.elements if tag in ("h1", "h2", "h3", "h4", "h5")]

    def text(self):
        return " ".join(data for tag, data in self.texts if tag not in ("style", "script"))
