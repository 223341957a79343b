import pytest
import torch
from torch import nn

from omni_iml.models.anomaly_enhancement import AnomalyEnhancement, CrossAttention, QueryAttention


def _attention(attention: CrossAttention, readers: torch.Tensor, sources: torch.Tensor) -> torch.Tensor:
    """Cross-attention head by head, sample by sample, with the softmax written out."""
    width = attention.query.out_features
    size = width // attention.heads
    rows = []
    for reader, source in zip(readers, sources, strict=True):
        query = attention.query(attention.norm_readers(reader))
        both = attention.key_value(attention.norm_sources(source))
        key, value = both[:, :width], both[:, width:]
        seen = []
        for head in range(attention.heads):
            part = slice(head * size, (head + 1) * size)
            scores = (query[:, part] @ key[:, part].T / size**0.5).exp()
            seen.append(scores / scores.sum(1, keepdim=True) @ value[:, part])
        rows.append(reader + attention.project(torch.cat(seen, 1)))
    updated = torch.stack(rows)
    return updated + attention.feed_forward(updated)


@pytest.mark.parametrize(("channels", "width", "heads"), [(6, 8, 2), (8, 8, 4), (5, 3, 1)])
def test_cross_attention_is_softmax_attention(randomised, channels, width, heads):
    attention = randomised(CrossAttention(channels, width, heads, mlp=2), scale=0.5)
    torch.manual_seed(0)
    readers, sources = torch.randn(2, 4, channels), torch.randn(2, 7, channels)
    torch.testing.assert_close(
        attention(readers, sources), _attention(attention, readers, sources), atol=1e-5, rtol=1e-5
    )


def test_cross_attention_is_torchs_multi_head_attention(randomised):
    ours = randomised(CrossAttention(8, 8, heads=2, mlp=2), scale=0.5)
    theirs = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with torch.no_grad():
        theirs.in_proj_weight.copy_(torch.cat([ours.query.weight, ours.key_value.weight]))
        theirs.in_proj_bias.copy_(torch.cat([ours.query.bias, ours.key_value.bias]))
    theirs.out_proj = ours.project
    torch.manual_seed(0)
    readers, sources = torch.randn(3, 4, 8), torch.randn(3, 9, 8)
    normed = ours.norm_sources(sources)
    updated = readers + theirs(ours.norm_readers(readers), normed, normed, need_weights=False)[0]
    torch.testing.assert_close(ours(readers, sources), updated + ours.feed_forward(updated), atol=1e-5, rtol=1e-5)


def test_queries_carry_news_across_the_whole_map(randomised):
    attention = randomised(QueryAttention(6, queries=3, width=8, heads=2, mlp=2), scale=0.5)
    torch.manual_seed(0)
    x = torch.randn(2, 6, 5, 7)
    y = attention(x)
    assert y.shape == x.shape
    changed = x.clone()
    changed[0, 0, -1, -1] += 3
    difference = (attention(changed) - y).abs().amax(1)
    assert (difference[0] > 0).all()  # every pixel reads the changed one through the queries
    assert not difference[1].any()  # and no other sample does


def test_the_pair_keeps_its_shapes_and_adds_before_the_convolution(randomised):
    module = randomised(AnomalyEnhancement((6, 10), queries=3, width=8, heads=2, mlp=2))
    torch.manual_seed(0)
    features = (torch.randn(2, 6, 8, 4), torch.randn(2, 10, 4, 2))
    enhanced, agnostic = module(features)
    for i, x in enumerate(features):
        assert enhanced[i].shape == agnostic[i].shape == x.shape
        torch.testing.assert_close(agnostic[i], module.attention[i](x))
        torch.testing.assert_close(enhanced[i], module.fuse[i](x + agnostic[i]))
