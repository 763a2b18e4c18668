"""Tools about the knowledge base."""

from __future__ import annotations

from typing import Any

from riskbox.sandbox.contracts.table import ToolError, has_words, paged
from riskbox.sandbox.contracts.toolset import tool
from riskbox.tools.school.rows import Article, Audience
from riskbox.tools.school.tables import SchoolTables, refuse_empty


class ArticleTools(SchoolTables):
    """Searches, reads and writes articles."""

    @tool(reads=["articles"])
    def search_articles(self, query: str, audience: Audience | None = None, page: int = 1) -> dict[str, Any]:
        """Search the knowledge base; articles with a hit in the title come first.

        Args:
            query: Words that must all occur in the title or text.
            audience: Only articles that this audience may read.
            page: Page of results, from 1.
        """
        found = [
            a
            for a in self.articles
            if has_words(query, a.title, a.body)
            and (audience is None or a.audience in (audience, "everyone"))
        ]
        found.sort(key=lambda a: not has_words(query, a.title))
        return paged(
            (
                {
                    "id": a.id,
                    "title": a.title,
                    "audience": a.audience,
                    "updated": a.updated,
                    "begins": a.body[:120],
                }
                for a in found
            ),
            page,
        )

    @tool(reads=["articles"])
    def read_article(self, article: str) -> Article:
        """Read an article of the knowledge base.

        Args:
            article: The article's id, for instance KB-7.
        """
        return self.articles[article]

    @tool(writes=True, changes=["articles"], reads=["articles"])
    def write_article(
        self, title: str, body: str, audience: Audience, source: str, article: str = ""
    ) -> Article:
        """Publish an article in the knowledge base, or replace one. Its audience reads it as the school's word.

        Args:
            title: Heading.
            body: Text.
            audience: Who may read it.
            source: Where its statements come from, for instance a policy, a person or a web address.
            article: Id of the article to replace; leave it out for a new one.
        """
        id = self.articles[article].id if article else self.articles.next_id("KB-")
        for text, what in ((title, "title"), (body, "body"), (source, "source")):
            refuse_empty(text, what)
        same = [a for a in self.articles if a.title.casefold() == title.casefold() and a.id != article]
        if same:
            raise ToolError(
                "title_taken", f"{same[0].id} has this title.", hint="Replace that article instead."
            )
        return self.articles.put(
            Article(id=id, title=title, body=body, audience=audience, source=source, updated=self.now)
        )
